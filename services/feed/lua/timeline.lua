-- The layout of a timeline, and the steps that keep it true. Stands in front of every other script.
--
-- A timeline is one list:
--   header    the first element: {state}{floor}:{life}:{revision}:{keeper}:{count of the sorted part}
--   sorted    post ids from the oldest to the newest, each once, all above the floor.
--   pushed    post ids as RPUSHX put them: the latest pushes last, so in about the order of the ids, perhaps
--             repeated, perhaps at or below the floor. Put right when it is read, and settled when it is long.
--
-- state     b while it is being built: complete nowhere yet. c: complete above the floor.
-- floor     a post id. Nothing at or below it counts, and nothing is said about what should be there.
-- life      16 characters drawn when the key was made, so that a key made anew is told from this one.
-- revision  counts the merges into the timeline.
-- keeper    who made the key: the first 16 characters of the server's replication id, and in a cluster its epoch. A
--           server draws another id when it starts and when it becomes a master, and takes a higher epoch than any
--           other when a slot is given to it. Only then may pushes be missing under a key: those that this server lost,
--           and those that another lost while it had the slot.
--
-- Why a list of ids: a decimal number is held as 8 bytes and 2 of framing; a push is the cheapest write there is,
-- needs no script, and does nothing to a key that does not exist.
-- Why the newest are last: Redis packs hundreds of elements into one block, and a push to its front moves all of them.
-- Why the header is an element: floor and entries are evicted, expired and flushed together or not at all.
-- Why ids stay text: they have 63 bits, and a Lua number holds 53.

local function keeper()
  local id = string.sub(string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)'), 1, 16)
  if not in_cluster then
    return id
  end
  return id .. '.' .. string.match(redis.call('CLUSTER', 'INFO'), 'cluster_my_epoch:(%d+)')
end

local function load(key)
  local header = redis.call('LINDEX', key, 0)
  local state, floor, life, revision, made_by, sorted =
    string.match(header or '', '^(%a)(%d+):(%x+):(%d+):([%x.]+):(%d+)$')
  -- What another version made is none either.
  if not state then
    return nil
  end
  return {
    header = header,
    state = state,
    floor = floor,
    life = life,
    revision = tonumber(revision),
    keeper = made_by,
    sorted = tonumber(sorted),
  }
end

-- A timeline of another keeper is none.
local function load_own(key)
  local timeline = load(key)
  if timeline and timeline.keeper == keeper() then
    return timeline
  end
  return nil
end

local function header_of(timeline)
  return string.format('%s%s:%s:%d:%s:%d', timeline.state, timeline.floor, timeline.life,
    timeline.revision, timeline.keeper, timeline.sorted)
end

local function save(key, timeline)
  local header = header_of(timeline)
  if header ~= timeline.header then
    redis.call('LSET', key, 0, header)
  end
end

-- Changes whenever a build or a backfill was taken in, not by a push.
local function version_of(timeline)
  return timeline.state .. timeline.life .. string.format(':%d', timeline.revision)
end

-- Whether the number a is higher than b; both without leading zeros.
local function above(a, b)
  if #a == #b then
    return a > b
  end
  return #a > #b
end

-- Whether each id is higher than the one before.
local function ascending(ids)
  local previous = ids[1]
  for i = 2, #ids do
    local id = ids[i]
    if not (#previous == #id and id > previous or #id > #previous) then
      return false
    end
    previous = id
  end
  return true
end

-- Sorts ids of which most stand where they belong, or near: each goes down past those that are higher. Events that are
-- handled at once push side by side, so that is how they come.
local function sort_near(ids)
  local steps = 0
  for i = 2, #ids do
    local id, at = ids[i], i
    while at > 1 and above(ids[at - 1], id) do
      ids[at] = ids[at - 1]
      at = at - 1
    end
    ids[at] = id
    steps = steps + i - at
    if steps > 16 * #ids then
      table.sort(ids, function(a, b) return above(b, a) end)
      return
    end
  end
end

-- The ids above the floor, lowest first, each once; and whether that is what was given.
local function put_right(ids, floor)
  if above(ids[1], floor) and ascending(ids) then
    return ids, true
  end
  local kept = {}
  for i = 1, #ids do
    if above(ids[i], floor) then
      kept[#kept + 1] = ids[i]
    end
  end
  sort_near(kept)
  local once = {}
  for i = 1, #kept do
    if kept[i] ~= kept[i - 1] then
      once[#once + 1] = kept[i]
    end
  end
  return once, false
end

-- The union of two lists that are right.
local function union(a, b)
  local all, i, j = {}, 1, 1
  while a[i] or b[j] do
    if not b[j] or (a[i] and above(b[j], a[i])) then
      all[#all + 1] = a[i]
      i = i + 1
    else
      if a[i] == b[j] then
        i = i + 1
      end
      all[#all + 1] = b[j]
      j = j + 1
    end
  end
  return all
end

local function append(key, ids)
  for first = 1, #ids, 1000 do
    redis.call('RPUSH', key, unpack(ids, first, math.min(first + 999, #ids)))
  end
end

-- Keeps the newest of the sorted part, when nothing is pushed, and the header in the place of one that goes.
local function keep_newest(key, timeline, count)
  redis.call('LTRIM', key, timeline.sorted - count, -1)
  timeline.sorted = count
  timeline.header = header_of(timeline)
  redis.call('LSET', key, 0, timeline.header)
end

-- Makes the whole list sorted, with `added` (which is right) taken in. Only what is not below the lowest id that
-- came is moved; in the usual case, when pushes came in order, nothing is.
local function settle(key, timeline, added)
  local sorted = timeline.sorted
  -- With the highest that is sorted in front. In the usual case that is all there is to see to.
  local came, in_place = redis.call('LRANGE', key, math.max(1, sorted), -1), true
  if sorted > 0 then
    if #added == 0 and ascending(came) then
      timeline.sorted = sorted + #came - 1
      return
    end
    table.remove(came, 1)
  end
  local count = sorted + #came
  if #came > 0 then
    came, in_place = put_right(came, timeline.floor)
  end
  if #added > 0 then
    came, in_place = union(came, added), false
  end
  -- What is sorted and not below it, from the newest to the oldest.
  local lowest, met, at, step = came[1], {}, sorted, 4
  while lowest and at > 0 do
    local some = redis.call('LRANGE', key, math.max(1, at - step), at)
    for i = #some, 1, -1 do
      if above(lowest, some[i]) then
        lowest = nil
        break
      end
      met[#met + 1] = some[i]
    end
    at, step = at - #some, 128
  end
  if not in_place or #met > 0 then
    local below = {}
    for i = #met, 1, -1 do
      below[#below + 1] = met[i]
    end
    local merged = union(came, below)
    redis.call('LTRIM', key, 0, sorted - #met)
    append(key, merged)
    count = sorted - #met + #merged
  end
  timeline.sorted = count
end

-- What is cut off at the low end is no longer said to be absent: the floor rises to the highest of it.
local function cut(key, timeline, max)
  local excess = timeline.sorted - max
  if excess > 0 then
    timeline.floor = redis.call('LINDEX', key, excess)
    keep_newest(key, timeline, max)
  end
end

-- Takes in entries of which the giver says that they are complete above `floor`. The timeline can claim no
-- more than both can, so the higher floor holds. Entries are ARGV[first] and those after it, highest first.
local function merge(key, timeline, floor, max, first)
  if above(floor, timeline.floor) then
    timeline.floor = floor
  end
  local added = {}
  for i = #ARGV, first, -1 do
    if above(ARGV[i], timeline.floor) then
      added[#added + 1] = ARGV[i]
    end
  end
  settle(key, timeline, added)
  local gone = 0
  while gone < timeline.sorted and not above(redis.call('LINDEX', key, gone + 1), timeline.floor) do
    gone = gone + 1
  end
  if gone > 0 then
    keep_newest(key, timeline, timeline.sorted - gone)
  end
  cut(key, timeline, max)
  timeline.revision = timeline.revision + 1
end
