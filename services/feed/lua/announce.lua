-- Adds an entry to a log, if there is one.
-- KEYS[1]  the log: a header {entries dropped}:{life}:{keeper}, then entries, the latest last. Life and keeper are those of
--          timeline.lua: whoever has read a log up to some place goes on from there in the same life only
-- ARGV[1]  the entry: without a space
-- ARGV[2]  how many entries are kept at least; twice as many at most
-- Reply    1, or 0 when there is no log
-- Cost     O(1), and once in so many O(n)

local header = redis.call('LINDEX', KEYS[1], 0)
if not header then
  return 0
end
local count, kept = redis.call('RPUSH', KEYS[1], ARGV[1]) - 1, tonumber(ARGV[2])
if count > 2 * kept then
  local dropped, rest = string.match(header, '^(%d+)(:.+)$')
  -- The header takes the place of the last that goes.
  redis.call('LTRIM', KEYS[1], count - kept, -1)
  redis.call('LSET', KEYS[1], 0, string.format('%d%s', dropped + count - kept, rest))
end
return 1
