-- The newest entries below a post id, among others. Being read keeps a timeline alive.
-- KEYS[1]  the timeline
-- ARGV[1]  post id: only entries below it
-- ARGV[2]  how many are wanted, at least 1
-- ARGV[3]  ms for which the timeline is kept from now on
-- Reply    {id, …, floor}: among the ids are the newest wanted ones below the post id and above the floor; about
--          from the oldest to the newest, perhaps repeated, perhaps outside of both. nil when there is no complete
--          timeline
-- Cost     O(log n + pushed + wanted)

local timeline = load_own(KEYS[1])
if not timeline or timeline.state ~= 'c' then
  return nil
end
-- An expiry is a write, which goes to the replicas: not for each read.
if redis.call('PTTL', KEYS[1]) < ARGV[3] * 0.9 then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local before, wanted, sorted = ARGV[1], tonumber(ARGV[2]), timeline.sorted
local newest = sorted > 0 and redis.call('LINDEX', KEYS[1], sorted)
if not newest or above(before, newest) then
  -- From the top: what was pushed and what is wanted of the sorted part lie side by side.
  local reply = redis.call('LRANGE', KEYS[1], math.max(1, sorted - wanted + 1), -1)
  reply[#reply + 1] = timeline.floor
  return reply
end
-- The newest of the sorted part that is below: within twice its distance from the top, then by halves.
local low, high, reach = 0, sorted, 32
while high - reach > 0 do
  if above(before, redis.call('LINDEX', KEYS[1], high - reach)) then
    low = high - reach
    break
  end
  high, reach = high - reach, reach * 2
end
while high - low > 1 do
  local middle = math.floor((low + high) / 2)
  if above(before, redis.call('LINDEX', KEYS[1], middle)) then
    low = middle
  else
    high = middle
  end
end
local reply = {}
if low > 0 then
  reply = redis.call('LRANGE', KEYS[1], math.max(1, low - wanted + 1), low)
end
for _, id in ipairs(redis.call('LRANGE', KEYS[1], sorted + 1, -1)) do
  if above(before, id) then
    reply[#reply + 1] = id
  end
end
reply[#reply + 1] = timeline.floor
return reply
