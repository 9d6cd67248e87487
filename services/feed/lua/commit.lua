-- Finishes a timeline with what its build found, provided that it is still the key that the build began
-- with: every push since then landed in it. In another key of the same name pushes are missing, and in one that
-- began on another server too.
-- KEYS[1]  the timeline
-- ARGV[1]  the life that begin.lua replied
-- ARGV[2]  the floor of what was found
-- ARGV[3]  how many entries are kept
-- ARGV[4…] the post ids found, highest first
-- Reply    1 when the timeline is now complete by this call, 0 when nothing was done
-- Cost     O(found + pushed × log pushed)

local timeline = load_own(KEYS[1])
if not timeline or timeline.state ~= 'b' or timeline.life ~= ARGV[1] then
  return 0
end
timeline.state = 'c'
merge(KEYS[1], timeline, ARGV[2], tonumber(ARGV[3]), 4)
save(KEYS[1], timeline)
return 1
