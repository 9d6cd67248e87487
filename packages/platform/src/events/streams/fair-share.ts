/**
 * How many partitions a member should hold. The shares of all members add up to all partitions and differ
 * by one at most, so members that see the same list agree without talking.
 *
 * @param members Names of the live members, sorted.
 * @param rotation Turns the order in which the larger shares are given, so that they do not fall to the
 *   same member for every topic.
 */
export function fairShare(
  members: readonly string[],
  member: string,
  partitions: number,
  rotation: number,
): number {
  const index = members.indexOf(member);
  if (index === -1) return 0;
  const rank = (index + rotation) % members.length;
  return Math.floor(partitions / members.length) + (rank < partitions % members.length ? 1 : 0);
}
