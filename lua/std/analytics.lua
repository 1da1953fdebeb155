-- Events that clients report about their use of the room. They are relayed, counted, and recorded a moment later in sig.store
-- "analytics_events": the last 1,000 of a room, for 30 days. The figures of the summary stay as long when the room ends.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local may = require "lunasig.may"
local pages = require "lunasig.pages"

sig.policy { name = "std.analytics", api = 1 }
sig.use "std.records"
local records = require "std.records"

local events_max, kept = 1000, "720h"
local data_max, waiting_max, waiting_bytes_max = 800, 100, 8192 -- larger data are not recorded
local types_max, users_max, name_max = 50, 150, 64 -- that the summary tells from each other; name_max: bytes
local events, summaries = sig.store "analytics_events", sig.store "analytics_summary"

sig.room_state {
  waiting = sig.list { max = waiting_max }, -- to be recorded
  waiting_bytes = sig.counter(),
  types = sig.map { max = types_max + 1 }, -- event type -> how many
  users = sig.set { max = users_max }, -- who has been here
  total = sig.counter(),
  dropped = sig.counter(),
  peak = sig.counter(), -- of the room before it ended the last time
  continued = sig.value { default = false }, -- what the room was before is counted in
}

sig.type "analytics-event" {
  absent = "broadcast",
  alias = "analytics_event",
  payload = sig.object {
    event_type = sig.string { min = 1, max = 128 },
    user_id = field.user,
    data = sig.any { optional = true },
    timestamp = field.timestamp,
  },
}

local function cut(name)
  return #name <= name_max and name or (name:sub(1, name_max):gsub("[\192-\255][\128-\191]*$", "")) -- no half of a character
end

local function count_type(state, name, by)
  name = cut(name)
  state.types:incr((state.types:has(name) or state.types:count() < types_max) and name or "other", by)
end

local function note_user(state, id)
  if state.users:count() < users_max then state.users:add(cut(id)) end
end

-- A room that was empty goes on where it ended; messages do not wait for that.
local function continue(room)
  local state = room:state_of "std.analytics"
  if state.continued then return end
  local found, before = pcall(summaries.get, summaries, room.id)
  if not found or state.continued then return end -- the database is away; or it was done meanwhile
  state.continued, before = true, before or { total = 0, peak = 0, types = {}, users = {} }
  state.total:incr(before.total)
  state.peak = before.peak
  for name, count in pairs(before.types) do
    count_type(state, name, count)
  end
  for _, id in ipairs(before.users) do
    note_user(state, id)
  end
end

-- Writes what waits. The events of a room have numbers; the place of one is its number, modulo how many are kept.
local function record(room)
  continue(room)
  local state = room:state_of "std.analytics"
  for _, member in ipairs(room:members()) do
    note_user(state, member.id)
  end
  local batch, fine, last = state.waiting:copy(), true, nil
  state.waiting:clear()
  state.waiting_bytes = 0
  if #batch > 0 then fine, last = pcall(events.incr, events, room.id, #batch, { ttl = kept }) end
  for i, event in ipairs(batch) do
    event.number = fine and last - #batch + i or 0
    local place = ("%s/%04d"):format(room.id, event.number % events_max)
    if not fine or not records.now("analytics_events", place, event, kept) then state.dropped:incr() end
  end
  if state.continued then -- else what was would be forgotten
    local now = { total = state.total:get(), types = state.types:copy(), users = state.users:copy() }
    now.peak = math.max(room.peak, state.peak:get())
    records.now("analytics_summary", room.id, now, kept)
  end
end
sig.on("timer:analytics", record)

local function soon(room)
  return room:timer "analytics" or room:after("1s", "analytics")
end
sig.on("leave", function(room, member)
  note_user(room.state, member.id)
  if room.count <= 1 then soon(room) end -- the room ends: its figures stay
end)

sig.on("message:analytics-event", { on_error = "allow" }, function(room, member, message)
  local state, name = room.state, message:get "event_type"
  if type(name) ~= "string" then return end -- compat clients may leave it out
  state.total:incr()
  count_type(state, name, 1)
  local event = { event_type = name, room_id = room.id, user_id = member.id, data = message:get "data", timestamp = clock.stamp() }
  local size = #sig.json.encode(event)
  if size > data_max then event.data, event.data_dropped, size = nil, true, data_max end
  if state.waiting_bytes:get() + size > waiting_bytes_max or state.waiting:count() >= waiting_max then
    state.dropped:incr()
  else
    state.waiting:push(event)
    state.waiting_bytes:incr(size)
  end
  soon(room)
end)

-- Those who are in the room, or were.
local function may_read(room, user)
  continue(room)
  return not may.waits(room, user) and (may.role(room, user) ~= nil or room.state.users:has(cut(user)))
end

local options = { query = { limit = sig.integer { min = 1, optional = true } }, rate = "2/s burst 10 per user" }

-- The newest first.
sig.route("GET /webrtc/rooms/:room/analytics", options, function(request, room)
  if not may_read(room, request.user) then return 403, { detail = "You are not in this room" } end
  record(room)
  local list, newest, limit = sig.json.array {}, events:count(room.id), request.query.limit or 100
  for _, event in ipairs(pages.all(events, room.id .. "/")) do
    local age = newest - event.number -- negative: of a count that has ended
    if age >= 0 and age < limit then list[#list + 1] = event end
  end
  table.sort(list, function(a, b) return a.number > b.number end)
  return 200, { room_id = room.id, events = list, count = #list }
end)

sig.route("GET /webrtc/rooms/:room/analytics/summary", { rate = options.rate }, function(request, room)
  if not may_read(room, request.user) then return 403, { detail = "You are not in this room" } end
  record(room)
  local state, peak = room.state, math.max(room.peak, room.state.peak:get())
  local figures = { room_id = room.id, total_events = state.total:get(), event_types = state.types:copy(), peak_participants = peak }
  figures.unique_users, figures.current_participants = state.users:count(), room.count
  figures.dropped_events = state.dropped:get() -- counted, and not recorded
  return 200, figures
end)
