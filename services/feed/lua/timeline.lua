-- The layout of a timeline, and the steps that keep it true. Stands in front of every other script.
--
-- A timeline is one list:
--   pushed    post ids as LPUSHX put them: the latest pushes first, so in about the order of the ids, perhaps
--             repeated, perhaps at or below the floor. Put right when it is read, and settled when it is long.
--   sorted    post ids from the newest to the oldest, each once, all above the floor.
--   header    the last element: {state}{floor}:{life}:{revision}:{keeper}:{count of the sorted part}
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
  local header = redis.call('LINDEX', key, -1)
  if not header then
    return nil
  end
  local state, floor, life, revision, made_by, sorted =
    string.match(header, '^(%a)(%d+):(%x+):(%d+):([%x.]+):(%d+)$')
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
    redis.call('LSET', key, -1, header)
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

-- The ids above the floor, highest first, each once; and whether that is what was given.
local function put_right(ids, floor)
  local right, previous = true, ids[1]
  for i = 2, #ids do
    local id = ids[i]
    if not (#previous == #id and previous > id or #previous > #id) then
      right = false
      break
    end
    previous = id
  end
  if right and above(previous, floor) then
    return ids, true
  end
  local kept = {}
  for i = 1, #ids do
    if above(ids[i], floor) then
      kept[#kept + 1] = ids[i]
    end
  end
  table.sort(kept, above)
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
    if not b[j] or (a[i] and above(a[i], b[j])) then
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

local function push_front(key, ids)
  local last = #ids
  while last > 0 do
    local first = math.max(1, last - 999)
    local reversed = {}
    for i = last, first, -1 do
      reversed[#reversed + 1] = ids[i]
    end
    redis.call('LPUSH', key, unpack(reversed))
    last = first - 1
  end
end

-- Keeps the first elements, all of the sorted part, and the header. Never empties the list: its expiry would go.
local function keep_first(key, timeline, count)
  if count == 0 then
    redis.call('LTRIM', key, -1, -1)
  else
    redis.call('LTRIM', key, 0, count - 1)
    redis.call('RPUSH', key, timeline.header)
  end
  timeline.sorted = count
end

-- Makes the whole list sorted, with `added` (which is right) taken in. Only what is not below the lowest id that
-- came is moved; in the usual case, when pushes came in order, nothing is.
local function settle(key, timeline, added)
  local count = redis.call('LLEN', key) - 1
  local pushed = count - timeline.sorted
  local came, in_place = {}, true
  if pushed > 0 then
    came, in_place = put_right(redis.call('LRANGE', key, 0, pushed - 1), timeline.floor)
  end
  if #added > 0 then
    came, in_place = union(came, added), false
  end
  local lowest, met, from, step = came[#came], {}, pushed, 4
  while lowest and from < count do
    for _, id in ipairs(redis.call('LRANGE', key, from, math.min(from + step, count) - 1)) do
      if above(lowest, id) then
        lowest = nil
        break
      end
      met[#met + 1] = id
    end
    from, step = from + step, 128
  end
  if not in_place or #met > 0 then
    local merged = union(came, met)
    redis.call('LTRIM', key, pushed + #met, -1)
    push_front(key, merged)
    count = count - pushed - #met + #merged
  end
  timeline.sorted = count
end

-- What is cut off at the low end is no longer said to be absent: the floor rises to the highest of it.
local function cut(key, timeline, max)
  if timeline.sorted > max then
    timeline.floor = redis.call('LINDEX', key, max)
    keep_first(key, timeline, max)
  end
end

-- Takes in entries of which the giver says that they are complete above `floor`. The timeline can claim no
-- more than both can, so the higher floor holds. Entries are ARGV[first] and those after it, highest first.
local function merge(key, timeline, floor, max, first)
  if above(floor, timeline.floor) then
    timeline.floor = floor
  end
  local added = {}
  for i = first, #ARGV do
    if not above(ARGV[i], timeline.floor) then
      break
    end
    added[#added + 1] = ARGV[i]
  end
  settle(key, timeline, added)
  local kept = timeline.sorted
  while kept > 0 and not above(redis.call('LINDEX', key, kept - 1), timeline.floor) do
    kept = kept - 1
  end
  if kept < timeline.sorted then
    keep_first(key, timeline, kept)
  end
  cut(key, timeline, max)
  timeline.revision = timeline.revision + 1
end
