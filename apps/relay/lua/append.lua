-- Appends rows of one source's outbox to their streams and moves the source's position, if it is still where
-- the caller believes. So no row is appended twice and none left out, whatever was on its way when a relay,
-- a connection or Redis died.
--
-- KEYS[1]      state of the source: hash; field position
-- KEYS[2..]    the streams that rows go to
-- ARGV[1]      position that the caller continues
-- ARGV[2]      position after these rows
-- ARGV[3..]    three for each row, in commit order: index of its stream in KEYS, key, payload
--
-- Reply: 1 when appended, 0 when the position is another (nothing changed)
-- Cost: O(rows), one fsync.
if redis.call("HGET", KEYS[1], "position") ~= ARGV[1] then
  return 0
end
for i = 3, #ARGV, 3 do
  redis.call("XADD", KEYS[tonumber(ARGV[i])], "*", "k", ARGV[i + 1], "e", ARGV[i + 2])
end
redis.call("HSET", KEYS[1], "position", ARGV[2])
return 1
