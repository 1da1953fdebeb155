-- Recordings over HTTP, in both families of paths: the same ones that messages start and stop.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.recording_routes" }

local r1 = "/webrtc/rooms/r1/"

sig.test("the short family: start and stop by an id of the client's", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local answer = ann:requests("POST " .. r1 .. "recordings/start?recording_id=rec1")
  assert(answer.status == 200 and answer.body.success and answer.body.recording_id == "rec1" and answer.body.status == "recording")
  bob:receives { type = "recording-control", sender_id = "ann", payload = { action = "start", recording_id = "rec1" } }
  bob:receives("recording-status", { recording_id = "rec1", status = "recording" })
  answer = bob:requests("GET " .. r1 .. "recordings")
  assert(answer.body.room_id == "r1" and answer.body.count == 1 and answer.body.active_recordings[1].user_id == "ann")

  ann:sends("recording-control", { action = "pause", recording_id = "rec1" })
  bob:receives("recording-status", { status = "paused" })
  assert(ann:requests("GET " .. r1 .. "recording/rec1/status").body.status == "paused")
  answer = ann:requests("POST " .. r1 .. "recordings/rec1/stop")
  assert(answer.status == 200 and answer.body.success and answer.body.status == "stopped")
  bob:receives("recording-status", { status = "stopped" })
  assert(ann:requests("GET " .. r1 .. "recordings").body.count == 0)
  assert(ann:requests("GET " .. r1 .. "recording/rec1/status").body.status == "stopped")
end)

sig.test("the long family: start, pause, resume, stop, and cancel", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local entry = ann:requests("POST " .. r1 .. "recording/start?recording_format=mkv&quality=high").body
  assert(entry.format == "mkv" and entry.quality == "high" and entry.status == "recording" and entry.room_id == "r1")
  local path = r1 .. "recording/" .. entry.recording_id
  t:advance "4s"
  assert(ann:requests("POST " .. path .. "/pause").body.duration_seconds == 4)
  assert(ann:requests("POST " .. path .. "/resume").body.status == "recording")
  t:advance "2s"
  assert(bob:requests("GET " .. path .. "/status").body.duration_seconds == 6)
  assert(ann:requests("POST " .. path .. "/stop").body.status == "stopped")
  entry = ann:requests("POST " .. r1 .. "recording/start").body
  assert(ann:requests("DELETE " .. r1 .. "recording/" .. entry.recording_id).body.status == "cancelled")
  bob:receives("recording-status", { status = "cancelled" })

  local answer = ann:requests "GET /webrtc/recordings"
  assert(answer.status == 200 and answer.body.count == 2)
  assert(ann:requests("GET /webrtc/recordings?status=cancelled").body.recordings[1].recording_id == entry.recording_id)
  assert(bob:requests("GET /webrtc/recordings").body.count == 0)
end)
