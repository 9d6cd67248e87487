import { BlockList, isIP, isIPv6 } from "node:net";

/** Finds the client behind proxies. */
export type ClientAddress = (socketAddress: string | undefined, forwardedFor: string | undefined) => string;

/**
 * The address of the client: the socket's, unless that is a trusted proxy; then the last address in
 * X-Forwarded-For that is none. What stands before it was written by the client itself.
 *
 * @param trustedProxies addresses or CIDR ranges, "10.0.0.0/8"; throws for anything else.
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const trusted = new BlockList();
  for (const range of trustedProxies) addRange(trusted, range);
  const isTrusted = (address: string): boolean => trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4");

  return (socketAddress, forwardedFor) => {
    let address = plainAddress(socketAddress ?? "") ?? "0.0.0.0";
    if (forwardedFor === undefined || trustedProxies.length === 0) return address;
    const hops = forwardedFor.split(",");
    while (isTrusted(address)) {
      const hop = plainAddress((hops.pop() ?? "").trim());
      if (hop === undefined) break;
      address = hop;
    }
    return address;
  };
}

/**
 * What stands for one client in a rate limit: an IPv4 address, or the /64 of an IPv6 address, since every
 * host can choose freely within its /64.
 */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const tailGroups = tail === undefined || tail === "" ? [] : tail.split(":");
  // "::" stands for as many zeros as are missing. An IPv4 tail is within the last two groups, which are cut off.
  const zeros = Array<string>(Math.max(0, 8 - groups.length - tailGroups.length)).fill("0");
  return `${[...groups, ...zeros, ...tailGroups]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}

/** Without IPv4's IPv6 clothes and without a zone; undefined when it is no address. */
function plainAddress(address: string): string | undefined {
  const [unzoned = ""] = address.split("%");
  const plain =
    unzoned.toLowerCase().startsWith("::ffff:") && unzoned.includes(".") ? unzoned.slice(7) : unzoned;
  return isIP(plain) === 0 ? undefined : plain;
}

function addRange(list: BlockList, range: string): void {
  const [address = "", bits] = range.split("/");
  const version = isIP(address);
  const maxBits = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? maxBits : Number(bits);
  if (version === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > maxBits) {
    throw new Error(`"${range}" is not an address or a CIDR range`);
  }
  list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
}
