-- Says that a member of a group lives, and renews the leases it holds on one topic.
--
-- KEYS[1]    members: sorted set, score = end of the heartbeat (epoch ms)
-- KEYS[1+p]  lease of partition p-1, for all partitions of the topic
-- ARGV[1]    member
-- ARGV[2]    ttl, ms
-- ARGV[2+p]  the token this member holds for partition p-1, or "" when it holds none
--
-- Reply: { {live members, sorted by name}, {state of each partition} }
--        state "held": renewed; "lost": no longer this member's; "free"; "taken": another's
-- Cost: O(members + partitions), one fsync.
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
redis.call("ZADD", KEYS[1], now + ARGV[2], ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[2])

local states = {}
for i = 2, #KEYS do
  local held = ARGV[i + 1]
  local owner = redis.call("GET", KEYS[i])
  local state
  if held == "" then
    state = owner and "taken" or "free"
  elseif owner == held then
    redis.call("PEXPIRE", KEYS[i], ARGV[2])
    state = "held"
  else
    state = "lost"
  end
  states[i - 1] = state
end

local members = redis.call("ZRANGE", KEYS[1], 0, -1)
table.sort(members)
return { members, states }
