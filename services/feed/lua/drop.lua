-- Forgets a timeline: what it said is said no more, and a build that began with it commits nothing.
-- KEYS[1]  the timeline
-- Reply    1, or 0 when nothing was kept here
-- Cost     O(1)

return redis.call('UNLINK', KEYS[1])
