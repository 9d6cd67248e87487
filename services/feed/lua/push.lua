-- Puts one post into a timeline that exists, finished or not.
-- KEYS[1]  the timeline
-- ARGV[1]  the entry
-- ARGV[2]  how many entries are kept
-- Reply    1 when the entry is new, 0 when it was there, is not above the floor, or nothing is kept here
-- Cost     O(log n)

local timeline = load(KEYS[1])
if not timeline or post_id(ARGV[1]) <= timeline.floor then
  return 0
end
if redis.call('ZADD', KEYS[1], 0, ARGV[1]) == 0 then
  return 0
end
trim(KEYS[1], timeline, tonumber(ARGV[2]))
save(KEYS[1], timeline)
return 1
