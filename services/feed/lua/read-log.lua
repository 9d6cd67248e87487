-- What came to a log (announce.lua) since a place in it. Makes the log when there is none, or another keeper's.
-- KEYS[1]  the log
-- ARGV[1]  the life of the log that the place is in; none when empty
-- ARGV[2]  the place: how many entries were there before it
-- ARGV[3]  the log's life, should it be made: 16 hexadecimal digits
-- Reply    {life, the place of its end, "entry …"}, the entries in their order; nil for them when the place is of another
--          life or they are dropped already
-- Cost     O(entries since); O(n) when another keeper's is dropped

local header = redis.call('LINDEX', KEYS[1], 0)
local dropped, life, made_by = string.match(header or '', '^(%d+):(%x+):([%x.]+)$')
if made_by ~= keeper() then
  redis.call('DEL', KEYS[1])
  redis.call('RPUSH', KEYS[1], '0:' .. ARGV[3] .. ':' .. keeper())
  return { ARGV[3], 0, false }
end
local from, finish = tonumber(ARGV[2]), dropped + redis.call('LLEN', KEYS[1]) - 1
if life ~= ARGV[1] or from < tonumber(dropped) or from > finish then
  return { life, finish, false }
end
if from == finish then
  return { life, finish, '' }
end
return { life, finish, table.concat(redis.call('LRANGE', KEYS[1], from - dropped + 1, -1), ' ') }
