-- At most two hundred hands are up; who waits to be let in raises none.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.room_settings", "std.waiting_room", "std.hand_raise" }

sig.route("POST /webrtc/rooms/:room/crowd", {}, function(_, room)
  for i = 1, 200 do
    room:state_of("std.hand_raise").hands:set("user" .. i, { username = "u", raised_at = "" })
  end
end)

sig.test("one hand more is refused, by message and over HTTP, and one may be lowered", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("hand-raise", { raised = true })
  ann:receives "hand-raise"
  bob:sends("hand-raise", { raised = false })
  ann:receives "hand-raise"
  assert(ann:requests("POST /webrtc/rooms/r1/crowd").status == 204)
  bob:sends("hand-raise", { raised = true })
  assert(bob:is_refused("QUEUE_FULL").payload.details.limit == 200)
  assert(bob:requests("POST /webrtc/rooms/r1/hand-raise").status == 409)
  assert(bob:requests("POST /webrtc/rooms/r1/hand-raise?raised=false").status == 200)
  ann:receives_nothing "hand-raise"
end)

sig.test("who waits is refused over HTTP, too", function(t)
  local ann = scene.call(t, "ann")
  ann:requests("POST /webrtc/rooms/r1/settings", { enable_waiting_room = true })
  local eve = t:client "eve"
  eve:joins "r1"
  assert(eve:requests("POST /webrtc/rooms/r1/hand-raise").status == 403)
  assert(ann:requests("GET /webrtc/rooms/r1/hand-raise/queue").body.count == 0)
end)
