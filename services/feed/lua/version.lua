-- What remove-posts.lua compares: changes whenever a build or a backfill was taken in, not by a push.
-- KEYS[1]  the timeline
-- Reply    text, or nil when nothing is kept here
-- Cost     O(1)

local timeline = load(KEYS[1])
return timeline and version_of(timeline)
