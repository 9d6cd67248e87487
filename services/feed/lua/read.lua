-- The newest entries below a post id, among others. Being read keeps a timeline alive.
-- KEYS[1]  the timeline
-- KEYS[2]  a text that is read in the same step; may be left out
-- ARGV[1]  post id: only entries below it
-- ARGV[2]  how many are wanted, at least 1
-- ARGV[3]  ms for which the timeline is kept from now on
-- Reply    "id … floor": among the ids are the newest wanted ones below the post id and above the floor; about from
--          the oldest to the newest, perhaps repeated, perhaps outside of both. nil when there is no complete timeline.
--          With a second key {that, its text or nil}. One text, because a reply of many elements costs its reader more
--          than it costs to make them one.
-- Cost     O(log n + pushed + wanted)

local function read(key, before, wanted, ttl)
  local timeline = load_own(key)
  if not timeline or timeline.state ~= 'c' then
    return false
  end
  -- An expiry is a write, which goes to the replicas: not for each read.
  if redis.call('PTTL', key) < ttl * 0.9 then
    redis.call('PEXPIRE', key, ttl)
  end
  local sorted = timeline.sorted
  local newest = sorted > 0 and redis.call('LINDEX', key, sorted)
  local ids
  if not newest or above(before, newest) then
    -- From the top: what was pushed and what is wanted of the sorted part lie side by side.
    ids = redis.call('LRANGE', key, math.max(1, sorted - wanted + 1), -1)
  else
    -- The newest of the sorted part that is below: within twice its distance from the top, then by halves.
    local low, high, reach = 0, sorted, 32
    while high - reach > 0 do
      if above(before, redis.call('LINDEX', key, high - reach)) then
        low = high - reach
        break
      end
      high, reach = high - reach, reach * 2
    end
    while high - low > 1 do
      local middle = math.floor((low + high) / 2)
      if above(before, redis.call('LINDEX', key, middle)) then
        low = middle
      else
        high = middle
      end
    end
    ids = low > 0 and redis.call('LRANGE', key, math.max(1, low - wanted + 1), low) or {}
    for _, id in ipairs(redis.call('LRANGE', key, sorted + 1, -1)) do
      if above(before, id) then
        ids[#ids + 1] = id
      end
    end
  end
  ids[#ids + 1] = timeline.floor
  return table.concat(ids, ' ')
end

local entries = read(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
if not KEYS[2] then
  return entries
end
return { entries, redis.call('GET', KEYS[2]) }
