-- Moves the positions of a group on some partitions, each if its lease is still the caller's.
--
-- KEYS[1], KEYS[2]  lease of the first partition; its positions: hash, group -> "<id> <entries up to it>"
-- KEYS[3], KEYS[4]  those of the second, and so on
-- ARGV[1]           group
-- ARGV[2], ARGV[3]  token of the first lease; "<id of the last entry of the handled prefix> <entries up to it>"
-- ARGV[4], ARGV[5]  those of the second, and so on
--
-- Reply: for each partition 1 when committed, 0 when the lease is lost (nothing changed there)
-- Cost: O(partitions), one fsync.
local held = {}
for i = 1, #KEYS, 2 do
  if redis.call("GET", KEYS[i]) == ARGV[i + 1] then
    redis.call("HSET", KEYS[i + 1], ARGV[1], ARGV[i + 2])
    held[#held + 1] = 1
  else
    held[#held + 1] = 0
  end
end
return held
