-- Breakout rooms: who is assigned is told where to connect, and nobody else comes in.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat", "std.breakout" }

local path = "/webrtc/rooms/r1/breakout-rooms"

local function assigned(t, ann, config, ...)
  local id = ann:requests("POST " .. path, config).body.breakout_room_id
  local inside = {}
  for i, client in ipairs { ... } do
    assert(ann:requests(("POST %s/%s/assign/%s"):format(path, id, client)).status == 200)
    inside[i] = t:client { user = client }
    inside[i]:joins(id)
  end
  return id, unpack(inside)
end

sig.test("all hear of a new room, and the assigned alone where to connect", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  local answer = ann:requests("POST " .. path, { name = "group 1", duration_minutes = 10 })
  local id = answer.body.breakout_room_id
  assert(answer.status == 200 and answer.body.success)
  for _, client in ipairs { ann, bob, eve } do
    client:receives("breakout-room-create", { created_by = "ann", config = { breakout_room_id = id, name = "group 1" } })
  end
  answer = ann:requests(("POST %s/%s/assign/bob"):format(path, id))
  assert(answer.status == 200 and answer.body.user_id == "bob" and answer.body.breakout_room_id == id)
  local told = bob:receives("breakout-room-assign", { user_id = "bob", breakout_room_id = id, assigned_by = "ann" })
  assert(told.payload.connect_to == "/webrtc/ws/" .. id)
  eve:receives_nothing()
  answer = bob:requests("GET " .. path)
  assert(answer.body.count == 1 and answer.body.assigned == id and answer.body.breakout_rooms[1].users[1] == "bob")
end)

sig.test("only who is assigned comes in, and is alone with the others there", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  local id, bob_inside = assigned(t, ann, { name = "group 1" }, "bob")
  local other = t:client { user = "eve" }
  other:joins(id)
  assert(other:is_refused("NOT_ASSIGNED").payload.details.return_to == "r1")
  bob_inside:sends("chat-message", { content = "psst" })
  eve:receives_nothing "chat-message"
  bob:receives_nothing "chat-message"
end)

sig.test("who is assigned to another one is no longer let into the first", function(t)
  local ann = scene.call(t, "ann", "bob")
  local first, bob = assigned(t, ann, {}, "bob")
  bob:leaves()
  assigned(t, ann, {}, "bob")
  bob:joins(first)
  bob:is_refused "NOT_ASSIGNED"
end)

sig.test("a room takes as many as it was made for", function(t)
  local ann = scene.call(t, "ann", "bob", "eve")
  local id = assigned(t, ann, { max_participants = 1 }, "bob")
  ann:requests(("POST %s/%s/assign/eve"):format(path, id))
  local eve = t:client { user = "eve" }
  eve:joins(id)
  eve:is_refused "ROOM_FULL"
end)
