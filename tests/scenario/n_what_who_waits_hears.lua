-- Who waits to be let in hears nothing of hands, recordings and screens either, although the server itself says it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.room_settings", "std.waiting_room", "std.hand_raise", "std.recording_routes", "std.media" }

sig.test("nothing of it until he is let in", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests("POST /webrtc/rooms/r1/settings", { enable_waiting_room = true })
  local eve = t:client "eve"
  eve:joins "r1"
  bob:sends("hand-raise", { raised = true })
  bob:sends("screen-share-control", { action = "start" })
  ann:requests "POST /webrtc/rooms/r1/recordings/start?recording_id=rec1"
  ann:receives "hand-raise-queue"
  bob:receives("recording-status", { status = "recording" })
  for _, type in ipairs { "hand-raise", "hand-raise-queue", "screen-share-control", "recording-control", "recording-status" } do
    eve:receives_nothing(type)
  end
  assert(ann:requests("POST /webrtc/rooms/r1/waiting-room/eve/admit").status == 200)
  bob:requests "POST /webrtc/rooms/r1/hand-raise?raised=false"
  eve:receives("hand-raise-queue", t.exactly { queue = {}, timestamp = t.any })
  bob:leaves()
  eve:receives("screen-share-control", { action = "stop" })
end)
