-- Makes the key of a timeline that is about to be built, so that pushes land from now on.
-- KEYS[1]  the timeline
-- ARGV[1]  its life, should it be made: 16 hexadecimal digits
-- ARGV[2]  ms for which it is kept
-- Reply    the life to give to commit.lua, also when an earlier build, perhaps of a process that died, left
--          the key unfinished; nil when the timeline is complete
-- Cost     O(1); O(n) when another keeper's is dropped

local timeline = load_own(KEYS[1])
if timeline and timeline.state == 'c' then
  return nil
end
if timeline then
  return timeline.life
end
redis.call('DEL', KEYS[1])
redis.call('RPUSH', KEYS[1], header_of({
  state = 'b', floor = '0', life = ARGV[1], revision = 0, keeper = keeper(), sorted = 0,
}))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return ARGV[1]
