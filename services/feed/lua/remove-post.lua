-- Takes one post out.
-- KEYS[1]  the timeline
-- ARGV[1]  the post id
-- Reply    how many elements were removed
-- Cost     O(n)

local timeline = load(KEYS[1])
-- From the beginning, so that one in the sorted part is found first: there it stands once.
local at = timeline and redis.call('LPOS', KEYS[1], ARGV[1])
if not at then
  return 0
end
if at <= timeline.sorted then
  timeline.sorted = timeline.sorted - 1
end
local removed = redis.call('LREM', KEYS[1], 0, ARGV[1])
save(KEYS[1], timeline)
return removed
