-- Sorts what was pushed, and cuts off what is too much. Run when the length that a push replied is beyond the slack:
-- each push pays for its share of that.
-- KEYS[1]  the timeline
-- ARGV[1]  how many entries are kept
-- Reply    how many there are now
-- Cost     O(pushed + log n), when pushes came in order

local timeline = load(KEYS[1])
if not timeline then
  -- What another version made would grow for as long as it is kept.
  redis.call('UNLINK', KEYS[1])
  return 0
end
settle(KEYS[1], timeline, {})
cut(KEYS[1], timeline, tonumber(ARGV[1]))
save(KEYS[1], timeline)
return timeline.sorted
