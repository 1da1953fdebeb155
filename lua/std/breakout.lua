-- Breakout rooms: small rooms beside a room, which hosts and moderators make, over HTTP. Each is a room of its own, whose id is its
-- breakout_room_id. Who is assigned is told where to connect, and nobody else comes in. It ends when its time (duration_minutes) is over,
-- or when it is closed: those in it are told where to go back to, and are sent away soon after (std.breakout_inside). Rooms do not see
-- each other's state: what the small room has to know of itself is in sig.store "breakout_rooms".
local sig = require "lunasig"
local clock = require "lunasig.clock"
local may = require "lunasig.may"
local refused = require("lunasig.answer").refused
local text = require "lunasig.text"

sig.policy { name = "std.breakout", api = 1 }
sig.use "std.breakout_inside"
local inside = require "std.breakout_inside"

local rooms_max, assigned_max = 30, 300 -- of a room
local hours_max = 24

sig.room_state {
  rooms = sig.map { max = rooms_max }, -- open ones, by id
  assigned = sig.map { max = assigned_max }, -- user -> id
}

local function users_of(room, id)
  local users = sig.json.array {}
  for user, where in room.state.assigned:each() do
    if where == id then users[#users + 1] = user end
  end
  return users
end

-- What the small room finds about itself when somebody comes.
local function write(room, id, entry)
  local left = entry.ends_at - sig.now()
  inside.rooms:put(id, {
    of = room.id,
    users = users_of(room, id),
    ends_at = entry.ends_at,
    max_participants = entry.config.max_participants,
    closed = entry.closed,
    closed_by = entry.closed_by,
  }, { ttl = math.max(left, 0) + 3600 })
end

local function watch(room)
  local first
  for _, entry in room.state.rooms:each() do
    first = math.min(first or entry.ends_at, entry.ends_at)
  end
  if first then room:after(math.max(first - sig.now(), 0.001), "breakout-rooms") else room:cancel "breakout-rooms" end
end

local function close(room, id, by)
  room.state.rooms:remove(id)
  for _, user in ipairs(users_of(room, id)) do
    room.state.assigned:remove(user)
  end
  room:send("breakout-room-close", inside.goodbye(id, room.id, by))
  watch(room)
end

sig.on("timer:breakout-rooms", function(room) -- the small room knows itself when its time is over
  for id, entry in room.state.rooms:each() do
    if entry.ends_at <= sig.now() + 0.001 then close(room, id) end
  end
  watch(room)
end)

-- The room that a path names: by its id, or by the one that its maker asked for (clients of the original service choose it); of two with
-- the same the later one. An id that everybody may choose would let a room's host close rooms of others.
local function find(room, id)
  local found
  for its_id, entry in room.state.rooms:each() do
    if its_id == id or entry.asked_id == id then found = its_id end
  end
  return found, found and room.state.rooms:get(found)
end

local config = sig.object({
  name = sig.string { max = 128, optional = true, null = true },
  breakout_room_id = sig.string { max = 128, optional = true, null = true },
  duration_minutes = sig.number { min = 0.1, max = hours_max * 60, optional = true, null = true },
  max_participants = sig.integer { min = 1, max = 1000, optional = true, null = true },
}, { extra = true }) -- what is more is passed over

sig.route("POST /webrtc/rooms/:room/breakout-rooms", { body = config, rate = "5/s burst 30 per user" }, function(request, room)
  if not may.manage(room, request.user) then return refused(403, "Only hosts and moderators make breakout rooms") end
  if room.state.rooms:count() >= rooms_max then return refused(409, ("A room has at most %d breakout rooms"):format(rooms_max)) end
  local body, id = request.body, inside.prefix .. sig.random.id()
  local entry = {
    config = {
      breakout_room_id = id,
      name = text.name(body.name) or ("Room %d"):format(room.state.rooms:count() + 1),
      duration_minutes = body.duration_minutes,
      max_participants = body.max_participants,
    },
    asked_id = body.breakout_room_id,
    created_by = request.user,
    ends_at = sig.now() + 60 * (body.duration_minutes or hours_max * 60),
  }
  write(room, id, entry)
  room.state.rooms:set(id, entry)
  room:send("breakout-room-create", { config = entry.config, created_by = request.user, timestamp = clock.stamp() })
  watch(room)
  return 200, { success = true, breakout_room_id = id }
end)

sig.route("POST /webrtc/rooms/:room/breakout-rooms/:id/assign/:user", { rate = "20/s burst 200 per user" }, function(request, room)
  local user, state, id, entry = request.params.user, room.state, find(room, request.params.id)
  if not may.manage(room, request.user) then return refused(403, "Only hosts and moderators assign to breakout rooms") end
  if not entry or not may.role(room, user) then return refused(404) end
  local before = state.assigned:get(user)
  if before == nil and state.assigned:count() >= assigned_max then return refused(409, "Too many are assigned already") end
  state.assigned:set(user, id)
  write(room, id, entry)
  local left = before and before ~= id and state.rooms:get(before)
  if left then write(room, before, left) end
  local member = room:member(user)
  if member then member:send("breakout-room-assign", inside.invitation(id, room.id, user, request.user)) end
  return 200, { success = true, breakout_room_id = id, user_id = user }
end)

sig.route("DELETE /webrtc/rooms/:room/breakout-rooms/:id", {}, function(request, room)
  local id, entry = find(room, request.params.id)
  if not may.manage(room, request.user) then return refused(403, "Only hosts and moderators close breakout rooms") end
  if not entry then return refused(404) end
  entry.closed, entry.closed_by = true, request.user
  write(room, id, entry)
  if room.state.rooms:has(id) then close(room, id, request.user) end
  return 200, { success = true, breakout_room_id = id, status = "closed" }
end)

-- Where one is assigned: for those who come later, or were away.
sig.route("GET /webrtc/rooms/:room/breakout-rooms", {}, function(request, room)
  if not may.role(room, request.user) or may.waits(room, request.user) then return refused(403, "Only those who are in the room") end
  local list = sig.json.array {}
  for id, entry in room.state.rooms:each() do
    list[#list + 1] = { breakout_room_id = id, config = entry.config, users = users_of(room, id), created_by = entry.created_by }
  end
  return 200, { room_id = room.id, breakout_rooms = list, count = #list, assigned = room.state.assigned:get(request.user) or sig.null }
end)
