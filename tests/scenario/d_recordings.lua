-- Recordings: what clients tell each other about them.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.recording" }

-- All of them may record: it is the form of messages that counts here. Who may is said in n_recordings.lua.
sig.on("join", function(room, member)
  room:remember_role(member.id, room.count > 0 and "moderator" or "host")
end)

local when = "2026-01-05T12:00:00Z"

sig.test("a recording starts, stops, pauses and goes on", function(t)
  local full = { action = "start", recording_id = "rec1", user_id = "ann", format = "webm", quality = "high", timestamp = when }
  full.include_audio, full.include_video = true, false
  scene.checks_payload(t, "recording-control", full, { action = "resume", recording_id = "rec1" }, {
    { "action" },
    { "action", "rewind" },
    { "recording_id" },
    { "recording_id", "" },
    { "user_id", 5 },
    { "format", 5 },
    { "quality", 5 },
    { "include_audio", "yes" },
    { "include_video", 1 },
    { "timestamp", 5 },
    { "extra", true, "payload" },
  })
end)

sig.test("how it stands is told", function(t)
  local full = { recording_id = "rec1", status = "running", duration = 12.5, file_size = 4096, timestamp = when }
  scene.checks_payload(t, "recording-status", full, { recording_id = "rec1", status = "" }, {
    { "recording_id" },
    { "status" },
    { "status", ("s"):rep(65) },
    { "duration", "long" },
    { "file_size", "big" },
    { "timestamp", {} },
    { "extra", true, "payload" },
  })
end)
