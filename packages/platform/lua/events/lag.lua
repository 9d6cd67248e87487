-- Counts what a group has not committed yet.
--
-- KEYS[2i-1]  stream of a partition
-- KEYS[2i]    positions of the same partition
-- ARGV[1]     group
--
-- Reply: entries behind, over all the partitions
-- Cost: O(partitions), read only.
local behind = 0
for i = 1, #KEYS, 2 do
  if redis.call("EXISTS", KEYS[i]) == 1 then
    local info = redis.call("XINFO", "STREAM", KEYS[i])
    local fields = {}
    for j = 1, #info, 2 do
      fields[info[j]] = info[j + 1]
    end
    local position = redis.call("HGET", KEYS[i + 1], ARGV[1])
    local done = fields["entries-added"] - fields["length"]
    if position then
      done = tonumber(string.match(position, " (%d+)$"))
    end
    behind = behind + fields["entries-added"] - done
  end
end
return behind
