-- Recordings have bounds; of compat clients that leave things out, messages are relayed and nothing is noted.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.recording" }

sig.test("a room has at most ten at once", function(t)
  local ann = scene.call(t, "ann")
  for i = 1, 11 do
    ann:sends("recording-control", { action = "start", recording_id = "rec" .. i })
  end
  ann:is_refused "TOO_MANY_RECORDINGS"
  ann:sends("recording-control", { action = "start", recording_id = ("r"):rep(101) })
  ann:is_refused "INVALID_MESSAGE"
end)

sig.test("compat clients may leave the id out, or say what nobody knows", function(t)
  local ann, bob = t:client { user = "ann", dialect = "compat" }, t:client "bob"
  ann:joins "r1"
  bob:joins "r1"
  ann:sends("recording_control", { action = "start" })
  for _, payload in ipairs { { recording_id = "" }, { recording_id = ("r"):rep(300), action = "stop" }, { recording_id = 5 } } do
    ann:sends("recording_control", payload)
    bob:receives("recording-control", t.exactly(payload))
  end
  ann:sends("recording_control", { action = "start", recording_id = "rec1" })
  bob:receives "recording-status"
  ann:sends("recording_control", { action = "rewind", recording_id = "rec1" })
  bob:receives("recording-control", { action = "rewind" })
  bob:receives_nothing "recording-status"
end)
