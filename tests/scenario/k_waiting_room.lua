-- waiting-room-join: who waits is told to hosts and moderators, and to nobody else.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.waiting_room" }

sig.on("join", function(room, member)
  if member.claims.moderates then room:remember_role(member.id, "moderator") end
end)

local function house(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  local max = t:client { user = "max", claims = { moderates = true } }
  max:joins "r1"
  return ann, bob, eve, max
end

sig.test("hosts and moderators hear who waits", function(t)
  local ann, bob, eve, max = house(t)
  eve:sends("waiting-room-join", { username = "Eve" })
  ann:receives { type = "waiting-room-join", sender_id = "eve" }
  max:receives { type = "waiting-room-join", sender_id = "eve" }
  bob:receives_nothing "waiting-room-join"
end)

sig.test("no target brings it to anybody else", function(t)
  local ann, bob, eve = house(t)
  eve:sends("waiting_room_join", {}, "bob")
  ann:receives "waiting-room-join"
  bob:receives_nothing "waiting-room-join"
end)

sig.test("its fields are checked", function(t)
  local ann, _, eve = house(t)
  eve:sends("waiting-room-join", { user_id = "eve", username = "Eve", timestamp = "2026-01-05T12:00:00Z" })
  ann:receives("waiting-room-join", { username = "Eve" })
  for field, value in pairs { user_id = 5, username = 5, timestamp = 5 } do
    eve:sends("waiting-room-join", { [field] = value })
    assert(eve:is_refused("INVALID_MESSAGE").payload.details.field == "payload." .. field)
  end
  ann:receives_nothing "waiting-room-join"
end)
