-- What goes on in a breakout room itself (std.breakout makes and closes them): only those who are assigned come in, and when it ends
-- all are told where they came from, and have a moment to go.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"

sig.policy { name = "std.breakout_inside", api = 1 }

local look = 1 -- seconds: how often an open room looks whether it was closed; only such with somebody in them do
local farewell = "10s" -- how long those who were told to go may stay

local inside = {
  prefix = "breakout-", -- and an id of 22 characters: nobody guesses one, and such rooms are not open to all
  rooms = sig.store "breakout_rooms", -- by id: { of, users, ends_at, max_participants?, closed?, closed_by? }
}

sig.room_state { home = sig.value {} } -- { of, ends_at }; nil: no breakout room, or one that has ended

local function announced(action, payload)
  payload.timestamp = field.timestamp
  sig.type("breakout-room-" .. action) {
    from = "server",
    alias = "breakout_room_" .. action,
    payload = sig.object(payload),
  }
end

announced("create", { config = sig.object, created_by = field.id })
announced("assign", {
  user_id = field.id,
  breakout_room_id = field.id,
  assigned_by = field.id,
  room_id = field.optional_id, -- to which the breakout room belongs
  connect_to = field.text, -- path of the WebSocket
})
announced("close", {
  breakout_room_id = field.id,
  closed_by = field.id { null = true }, -- null: its time was over
  reason = field.text,
  return_to = field.optional_id, -- the room that all come from
  connect_to = field.text,
})

local function connect(room_id)
  return "/webrtc/ws/" .. room_id
end

function inside.invitation(id, home, user, by)
  return { user_id = user, breakout_room_id = id, assigned_by = by, room_id = home, connect_to = connect(id), timestamp = clock.stamp() }
end

function inside.goodbye(id, home, by)
  return {
    breakout_room_id = id,
    closed_by = by or sig.null,
    reason = by and "closed" or "time is over",
    return_to = home,
    connect_to = connect(home),
    timestamp = clock.stamp(),
  }
end

local function lets_in(about, user)
  for _, name in ipairs(about.users) do
    if name == user then return true end
  end
end

sig.on("join", function(room, member)
  if #room.id ~= #inside.prefix + 22 or room.id:sub(1, #inside.prefix) ~= inside.prefix then return end
  local about = inside.rooms:get(room.id)
  if not about or about.closed or about.ends_at <= sig.now() then
    return sig.deny("BREAKOUT_ROOM_CLOSED", "this breakout room has ended", about and { return_to = about.of })
  end
  if not lets_in(about, member.id) then
    return sig.deny("NOT_ASSIGNED", "you are not assigned to this breakout room", { return_to = about.of })
  end
  room.state.home = { of = about.of, ends_at = about.ends_at }
  if about.max_participants then sig.seat { max = about.max_participants } end
end)

local function next_look(room, home)
  room:after(math.max(math.min(look, home.ends_at - sig.now()), 0.001), "breakout-look")
end

sig.on("joined", function(room)
  local home = room.state.home
  if home and not room:timer "breakout-look" then next_look(room, home) end
end)

sig.on("timer:breakout-look", function(room)
  local home = room.state.home
  if not home or room.count == 0 then return end
  local over, closed_by = home.ends_at <= sig.now() + 0.001, nil
  if not over then
    local found, about = pcall(inside.rooms.get, inside.rooms, room.id) -- without a database it ends with its time
    over = found and (about == nil or about.closed)
    closed_by = over and about and about.closed_by
  end
  if not over then return next_look(room, home) end
  room.state.home = nil
  room:send("breakout-room-close", inside.goodbye(room.id, home.of, closed_by or nil))
  room:after(farewell, "breakout-farewell")
end)

sig.on("timer:breakout-farewell", function(room)
  for _, member in ipairs(room:members()) do
    member:close(1000, "the breakout room has ended")
  end
end)

return inside
