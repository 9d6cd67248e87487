-- Gives up the lease of one partition, if it is still the caller's.
--
-- KEYS[1]  lease
-- ARGV[1]  token of the lease
--
-- Reply: 1 when released, 0 when it was lost before
-- Cost: O(1), one fsync.
if redis.call("GET", KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call("DEL", KEYS[1])
return 1
