-- The newest entries below a post id, among others. Being read keeps a timeline alive.
-- KEYS[1]  the timeline
-- ARGV[1]  post id: only entries below it
-- ARGV[2]  how many are wanted, at least 1
-- ARGV[3]  ms for which the timeline is kept from now on
-- Reply    {floor, id, …}: among the ids are the newest wanted ones below the post id and above the floor; in no
--          order, perhaps repeated, perhaps outside of both. nil when there is no complete timeline
-- Cost     O(log n + pushed + wanted)

local timeline = load_own(KEYS[1])
if not timeline or timeline.state ~= 'c' then
  return nil
end
-- An expiry is a write, which goes to the replicas: not for each read.
if redis.call('PTTL', KEYS[1]) < ARGV[3] * 0.9 then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local before, wanted = ARGV[1], tonumber(ARGV[2])
local count = redis.call('LLEN', KEYS[1]) - 1
local pushed = count - timeline.sorted
local first = pushed < count and redis.call('LINDEX', KEYS[1], pushed)
if not first or above(before, first) then
  -- From the top: what was pushed and what is wanted of the sorted part lie side by side.
  local reply = redis.call('LRANGE', KEYS[1], 0, pushed + wanted - 1)
  if #reply > count then
    reply[#reply] = nil
  end
  table.insert(reply, 1, timeline.floor)
  return reply
end
-- The first of the sorted part that is below: within twice its distance from the top, then by halves.
local low, high, reach = pushed, count, 32
while pushed + reach < count do
  if above(before, redis.call('LINDEX', KEYS[1], pushed + reach)) then
    high = pushed + reach
    break
  end
  low, reach = pushed + reach, reach * 2
end
while high - low > 1 do
  local middle = math.floor((low + high) / 2)
  if above(before, redis.call('LINDEX', KEYS[1], middle)) then
    high = middle
  else
    low = middle
  end
end
local reply = { timeline.floor }
if pushed > 0 then
  for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, pushed - 1)) do
    if above(before, id) then
      reply[#reply + 1] = id
    end
  end
end
if high < count then
  for _, id in ipairs(redis.call('LRANGE', KEYS[1], high, math.min(high + wanted, count) - 1)) do
    reply[#reply + 1] = id
  end
end
return reply
