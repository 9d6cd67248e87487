/**
 * What stands for one client: an IPv4 address, or the /64 of an IPv6 address, within which a host chooses its
 * address freely.
 *
 * @param address - Well-formed, as the gateway sends it; or empty.
 */
export function clientNetwork(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("%", 1).join("").split("::");
  const groups = head === "" ? [] : head.split(":");
  const tailGroups = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(Math.max(0, 8 - groups.length - tailGroups.length)).fill("0");
  const network = [...groups, ...zeros, ...tailGroups].slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
