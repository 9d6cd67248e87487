-- The newest entries below a post id. Being read keeps a timeline alive.
-- KEYS[1]  the timeline
-- ARGV[1]  post id, 19 digits: only entries below it
-- ARGV[2]  how many at most
-- ARGV[3]  ms for which the timeline is kept from now on
-- Reply    {floor, entry, …} with the newest first; nil when there is no complete timeline
-- Cost     O(log n + entries)

local timeline = load(KEYS[1])
if not timeline or timeline.state ~= 'c' then
  return nil
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local reply = redis.call('ZRANGE', KEYS[1], '(' .. ARGV[1], '[0', 'BYLEX', 'REV', 'LIMIT', 0, ARGV[2])
table.insert(reply, 1, timeline.floor)
return reply
