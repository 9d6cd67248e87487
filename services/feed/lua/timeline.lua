-- The layout of a timeline, and the steps that keep it true. Stands in front of every other script.
--
-- A timeline is one sorted set with all scores 0, so that its members stand in the order of their bytes:
--   !{state}{floor}{life}:{revision}   the header: exactly one, and first, because '!' sorts before digits
--   {post id}:{author id}              an entry
--
-- state     b while it is being built: complete nowhere yet. c: complete above the floor.
-- floor     a post id. Nothing at or below it is kept, and nothing is said about what should be there.
-- life      16 characters drawn when the key was made, so that a key made anew is told from this one.
-- revision  counts the merges into the timeline.
--
-- Why the header is a member: floor and entries are evicted, expired and flushed together or not at all.
-- Why text: post ids have 63 bits and a Lua number or a score holds 53. Written with 19 digits and leading
-- zeros, the order of the text is the order of the ids.

local function load(key)
  local header = redis.call('ZRANGE', key, 0, 0)[1]
  if not header then
    return nil
  end
  return {
    header = header,
    state = string.sub(header, 2, 2),
    floor = string.sub(header, 3, 21),
    life = string.sub(header, 22, 37),
    revision = tonumber(string.sub(header, 39)),
  }
end

local function save(key, timeline)
  local header = '!' .. timeline.state .. timeline.floor .. timeline.life
    .. string.format(':%d', timeline.revision)
  if header ~= timeline.header then
    -- In this order: a sorted set that loses its last member loses its expiry too.
    redis.call('ZADD', key, 0, header)
    redis.call('ZREM', key, timeline.header)
  end
end

local function post_id(entry)
  return string.sub(entry, 1, 19)
end

-- What is cut off at the low end is no longer said to be absent: the floor rises to the highest of it.
local function trim(key, timeline, max)
  local excess = redis.call('ZCARD', key) - 1 - max
  if excess > 0 then
    timeline.floor = post_id(redis.call('ZRANGE', key, excess, excess)[1])
    redis.call('ZREMRANGEBYRANK', key, 1, excess)
  end
end

-- Takes in entries of which the giver says that they are complete above `floor`. The timeline can claim no
-- more than both can, so the higher floor holds. Entries are ARGV[first] and those after it.
local function merge(key, timeline, floor, max, first)
  if floor > timeline.floor then
    timeline.floor = floor
    -- ';' is the byte after ':', so this bound stands behind every entry of the post id.
    redis.call('ZREMRANGEBYLEX', key, '[0', '(' .. floor .. ';')
  end
  local added = {}
  for i = first, #ARGV do
    if post_id(ARGV[i]) > timeline.floor then
      added[#added + 1] = 0
      added[#added + 1] = ARGV[i]
    end
  end
  if #added > 0 then
    redis.call('ZADD', key, unpack(added))
  end
  trim(key, timeline, max)
  timeline.revision = timeline.revision + 1
end
