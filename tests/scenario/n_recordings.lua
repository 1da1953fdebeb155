-- Recordings: who may not record starts none, everybody is told how they stand, and they end with who started them.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.recording" }

local function order(action)
  return { action = action, recording_id = "rec1", format = "mp4" }
end

sig.test("a recording starts, pauses, goes on and stops, and all are told", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("recording-control", order "start")
  for _, client in ipairs { ann, bob } do
    client:receives("recording-status", { recording_id = "rec1", status = "recording", duration = 0 })
  end
  bob:receives("recording-control", { action = "start" })
  local state = t:state("r1", "std.recording").open.rec1
  assert(state.user_id == "ann" and state.format == "mp4" and state.quality == "medium")
  t:advance "5s"
  ann:sends("recording-control", order "pause")
  bob:receives("recording-status", { status = "paused", duration = 5 })
  t:advance "1min"
  ann:sends("recording-control", order "resume")
  bob:receives("recording-status", { status = "recording", duration = 5 })
  t:advance "5s"
  ann:sends("recording-control", order "stop")
  bob:receives("recording-status", { status = "stopped", duration = 10 })
  assert(not t:state("r1", "std.recording").open.rec1)
end)

sig.test("who may not record is refused, and nobody hears of it", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("recording-control", order "start")
  assert(bob:is_refused("PERMISSION_DENIED").payload.details.permission == "can_record")
  bob:sends("recording-status", { recording_id = "rec1", status = "recording" })
  bob:is_refused "PERMISSION_DENIED"
  ann:receives_nothing "recording-control"
  ann:receives_nothing "recording-status"
end)

sig.test("it ends when who started it leaves", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("recording-control", order "start")
  t:advance "3s"
  ann:leaves()
  bob:receives("recording-status", { recording_id = "rec1", status = "stopped", duration = 3 })
end)
