-- Keeps an entry that a group cannot apply, if the lease is still the caller's.
--
-- KEYS[1]   lease
-- KEYS[2]   dead-letter stream of the group
-- ARGV[1]   token of the lease
-- ARGV[2..] fields and values of the record
--
-- Reply: id of the record, nil when the lease is lost (nothing is kept)
-- Cost: O(1), one fsync.
if redis.call("GET", KEYS[1]) ~= ARGV[1] then
  return nil
end
return redis.call("XADD", KEYS[2], "*", unpack(ARGV, 2))
