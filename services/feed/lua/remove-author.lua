-- Takes an author's entries out, provided that nothing was backfilled since the version was read.
-- KEYS[1]  the timeline
-- ARGV[1]  the author id, as it stands behind the ':' of an entry
-- ARGV[2]  what version.lua replied
-- Reply    how many were removed; -1 when the version is another one
-- Cost     O(n)

local timeline = load(KEYS[1])
if not timeline
  or timeline.state .. timeline.life .. string.format(':%d', timeline.revision) ~= ARGV[2] then
  return -1
end
local removed = {}
for _, entry in ipairs(redis.call('ZRANGE', KEYS[1], 1, -1)) do
  if string.sub(entry, 21) == ARGV[1] then
    removed[#removed + 1] = entry
  end
end
if #removed > 0 then
  redis.call('ZREM', KEYS[1], unpack(removed))
end
return #removed
