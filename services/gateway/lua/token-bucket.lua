-- Takes tokens from every bucket of one identity, on Redis's own clock.
--
-- KEYS[i]           a bucket; all of them under one hash tag
-- ARGV[1]           cost: tokens to take from each bucket, 1 or more
-- ARGV[3i-1 .. 3i+1] of bucket i: limit (tokens that come back in a window), window in ms, burst (size of the bucket)
-- Reply             for bucket i, at 3i-2: tokens that are left; 3i-1: ms until it holds the cost, 0 when the request
--                   passes; 3i: ms until it is full
-- Cost              one GET and one SET for each bucket, O(1)
--
-- A bucket is "level at": its content, and the time in ms of that content. The content is counted in 1/window of a
-- token, so a millisecond brings exactly `limit`, and all numbers are whole and below 2^53 (the rules are checked for
-- it), where a Lua number is exact. A request that is denied takes what is left. A key that is gone is a full bucket,
-- and a key goes when its bucket is full.
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local cost = tonumber(ARGV[1])
local reply = {}

for i, key in ipairs(KEYS) do
  local limit = tonumber(ARGV[3 * i - 1])
  local window = tonumber(ARGV[3 * i])
  local full = tonumber(ARGV[3 * i + 1]) * window
  local price = cost * window

  local level = full
  local stored = redis.call("GET", key)
  if stored then
    local storedLevel, storedAt = string.match(stored, "^(%d+) (%d+)$")
    -- Another master's clock may be behind: then no time has passed.
    local elapsed = math.max(0, now - tonumber(storedAt))
    local before = math.min(full, tonumber(storedLevel))
    -- Compared before it is multiplied, so that a long absence cannot leave the exact range.
    if elapsed < math.ceil((full - before) / limit) then
      level = before + elapsed * limit
    end
  end

  local wait = 0
  if level < price then
    wait = math.ceil(price / limit)
    level = 0
  else
    level = level - price
  end

  local untilFull = math.ceil((full - level) / limit)
  redis.call("SET", key, string.format("%.0f %.0f", level, now), "PX", untilFull)
  reply[3 * i - 2] = math.floor(level / window)
  reply[3 * i - 1] = wait
  reply[3 * i] = untilFull
end

return reply
