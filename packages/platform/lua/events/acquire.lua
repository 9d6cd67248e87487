-- Takes the lease of one partition for a group, if nobody holds it.
--
-- KEYS[1]  lease
-- KEYS[2]  fence counter
-- KEYS[3]  positions: hash, group -> "<id> <entries up to it>"
-- KEYS[4]  stream
-- ARGV[1]  group
-- ARGV[2]  member
-- ARGV[3]  ttl, ms
--
-- Reply: nil when it is taken, else { token, last committed id, entries up to it }
-- Cost: O(1), one fsync.
if redis.call("EXISTS", KEYS[1]) == 1 then
  return nil
end
local token = ARGV[2] .. ":" .. redis.call("INCR", KEYS[2])
redis.call("SET", KEYS[1], token, "PX", ARGV[3])

local position = redis.call("HGET", KEYS[3], ARGV[1])
if position then
  local id, count = string.match(position, "^(%S+) (%d+)$")
  return { token, id, count }
end

-- A group without a position starts at the earliest entry that is kept.
local trimmed = 0
if redis.call("EXISTS", KEYS[4]) == 1 then
  local info = redis.call("XINFO", "STREAM", KEYS[4])
  local fields = {}
  for i = 1, #info, 2 do
    fields[info[i]] = info[i + 1]
  end
  trimmed = fields["entries-added"] - fields["length"]
end
return { token, "0-0", tostring(trimmed) }
