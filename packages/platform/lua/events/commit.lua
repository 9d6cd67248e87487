-- Moves the position of a group on one partition, if the lease is still the caller's.
--
-- KEYS[1]  lease
-- KEYS[2]  positions: hash, group -> "<id> <entries up to it>"
-- ARGV[1]  token of the lease
-- ARGV[2]  group
-- ARGV[3]  id of the last entry of the handled prefix
-- ARGV[4]  entries up to it, since the stream began
--
-- Reply: 1 when committed, 0 when the lease is lost (nothing changed)
-- Cost: O(1), one fsync.
if redis.call("GET", KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call("HSET", KEYS[2], ARGV[2], ARGV[3] .. " " .. ARGV[4])
return 1
