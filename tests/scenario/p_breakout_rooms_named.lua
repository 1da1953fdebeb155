-- Clients of the original service choose the id of a breakout room: in paths it is understood, and the room has one that nobody guesses.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.breakout" }

local path = "/webrtc/rooms/r1/breakout-rooms"

sig.test("the id that was asked for leads to the room", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local config = { breakout_room_id = "group-1", name = "One", max_participants = sig.null }
  local id = ann:requests("POST " .. path, config).body.breakout_room_id
  assert(id ~= "group-1")
  bob:receives("breakout-room-create", { config = { breakout_room_id = id, name = "One" } })
  local answer = ann:requests("POST " .. path .. "/group-1/assign/bob")
  assert(answer.status == 200 and answer.body.breakout_room_id == id)
  bob:receives("breakout-room-assign", { breakout_room_id = id, connect_to = "/webrtc/ws/" .. id })
  local inside = t:client { user = "bob" }
  inside:joins(id)
  answer = ann:requests("DELETE " .. path .. "/group-1")
  assert(answer.status == 200 and answer.body.breakout_room_id == id and answer.body.status == "closed")
  inside:receives { type = "breakout-room-close", within = "2s" }
  assert(ann:requests("DELETE " .. path .. "/group-1").status == 404)
end)

sig.test("asked for twice, it is the later one", function(t)
  local ann = scene.call(t, "ann", "bob")
  ann:requests("POST " .. path, { breakout_room_id = "x" })
  local id = ann:requests("POST " .. path, { breakout_room_id = "x" }).body.breakout_room_id
  assert(ann:requests("POST " .. path .. "/x/assign/bob").body.breakout_room_id == id)
end)

sig.test("nobody's room is taken by asking for its id", function(t)
  local ann = scene.call(t, "ann")
  local eve, bob = t:client "eve", t:client "bob"
  eve:joins "r2"
  ann:requests("POST " .. path, { breakout_room_id = "r2" })
  ann:requests("DELETE " .. path .. "/r2")
  t:advance "3s"
  eve:receives_nothing()
  bob:joins "r2"
end)
