-- Makes the key of a timeline that is about to be built, so that pushes land from now on.
-- KEYS[1]  the timeline
-- ARGV[1]  its life, should it be made
-- ARGV[2]  ms for which it is kept
-- Reply    the life to give to commit.lua, also when an earlier build, perhaps of a process that died, left
--          the key unfinished; nil when the timeline is complete
-- Cost     O(1)

local timeline = load(KEYS[1])
if timeline and timeline.state == 'c' then
  return nil
end
if timeline then
  return timeline.life
end
redis.call('ZADD', KEYS[1], 0, '!b' .. string.rep('0', 19) .. ARGV[1] .. ':0')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return ARGV[1]
