-- Breakout rooms end with their time or when they are closed, and those in them are told where to go back to.
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

sig.test("with its time it ends: all are told to go back, and nobody comes in again", function(t)
  local ann = scene.call(t, "ann", "bob", "eve")
  local id, bob, eve = assigned(t, ann, { duration_minutes = 5 }, "bob", "eve")
  bob:receives_nothing { type = "breakout-room-close", within = "299s" }
  local told = bob:receives { type = "breakout-room-close", within = "1s" }
  assert(told.payload.return_to == "r1" and told.payload.connect_to == "/webrtc/ws/r1" and told.payload.closed_by == nil)
  eve:receives("breakout-room-close", { breakout_room_id = id })
  ann:receives("breakout-room-close", { breakout_room_id = id })
  eve:leaves()
  bob:is_closed(nil, { within = "11s" })
  bob:joins(id)
  assert(bob:is_refused("BREAKOUT_ROOM_CLOSED").payload.details.return_to == "r1")
  assert(bob:requests("GET " .. path).body.count == 0)
end)

sig.test("closed by a host, those in it hear of it", function(t)
  local ann, second = scene.call(t, "ann", "bob")
  local id, bob = assigned(t, ann, {}, "bob")
  local answer = ann:requests(("DELETE %s/%s"):format(path, id))
  assert(answer.status == 200 and answer.body.success and answer.body.status == "closed" and answer.body.breakout_room_id == id)
  second:receives("breakout-room-close", { breakout_room_id = id, closed_by = "ann" })
  bob:receives { type = "breakout-room-close", payload = { closed_by = "ann", return_to = "r1" }, within = "2s" }
  bob:leaves()
  bob:joins(id)
  bob:is_refused "BREAKOUT_ROOM_CLOSED"
end)

sig.test("without the database a room still ends with its time", function(t)
  local ann = scene.call(t, "ann", "bob")
  local _, bob = assigned(t, ann, { duration_minutes = 1 }, "bob")
  t:store "down"
  bob:receives_nothing { type = "breakout-room-close", within = "59s" }
  bob:receives { type = "breakout-room-close", within = "1s" }
end)
