-- Takes posts of an author out, provided that nothing was backfilled since the version was read.
-- KEYS[1]  the timeline
-- ARGV[1]  what version.lua replied
-- ARGV[2…] the post ids
-- Reply    how many were removed; -1 when the version is another one
-- Cost     O(n + ids)

local timeline = load(KEYS[1])
if not timeline or version_of(timeline) ~= ARGV[1] then
  return -1
end
local going = {}
for i = 2, #ARGV do
  going[ARGV[i]] = true
end
settle(KEYS[1], timeline, {})
local kept = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 1, -1)) do
  if not going[id] then
    kept[#kept + 1] = id
  end
end
local removed = timeline.sorted - #kept
if removed > 0 then
  redis.call('LTRIM', KEYS[1], 0, 0)
  append(KEYS[1], kept)
  timeline.sorted = #kept
end
save(KEYS[1], timeline)
return removed
