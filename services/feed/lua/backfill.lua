-- Puts the recent posts of one author into a timeline that exists, finished or not.
-- KEYS[1]  the timeline
-- ARGV[1]  the floor of those posts
-- ARGV[2]  how many entries are kept
-- ARGV[3…] the post ids, highest first, perhaps none: the revision moves all the same, see remove-posts.lua
-- Reply    1, or 0 when nothing is kept here
-- Cost     O(n + entries)

local timeline = load(KEYS[1])
if not timeline then
  return 0
end
merge(KEYS[1], timeline, ARGV[1], tonumber(ARGV[2]), 3)
save(KEYS[1], timeline)
return 1
