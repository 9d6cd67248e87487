-- Trims one partition behind its slowest group.
--
-- KEYS[1]  stream
-- KEYS[2]  groups of the topic: set
-- KEYS[3]  positions: hash, group -> "<id> <entries up to it>"
-- ARGV[1]  ms: entries younger than this are kept, whoever has read them
-- ARGV[2]  ms: entries older than this are dropped when the topic has no group at all
--
-- Reply: entries dropped; "approximately": whole nodes of the stream only
-- Cost: O(groups + dropped).
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local groups = redis.call("SMEMBERS", KEYS[2])
if #groups == 0 then
  return redis.call("XTRIM", KEYS[1], "MINID", "~", string.format("%.0f", now - ARGV[2]))
end

-- Ids are compared as two numbers of at most 53 bits: milliseconds and sequence.
local least_ms, least_sequence = now - ARGV[1], 0
for _, group in ipairs(groups) do
  local position = redis.call("HGET", KEYS[3], group)
  if not position then
    return 0
  end
  local ms, sequence = string.match(position, "^(%d+)-(%d+) ")
  ms, sequence = tonumber(ms), tonumber(sequence)
  if ms < least_ms or (ms == least_ms and sequence < least_sequence) then
    least_ms, least_sequence = ms, sequence
  end
end
return redis.call("XTRIM", KEYS[1], "MINID", "~", string.format("%.0f-%.0f", least_ms, least_sequence))
