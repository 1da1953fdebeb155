-- Permissions and settings over HTTP decide about files, recordings, chat and screens, in messages and over HTTP alike.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.permissions", "std.room_settings" } -- first: they refuse before others note anything
sig.use { "std.chat", "std.media", "std.recording_routes", "std.file_routes" }

local r1 = "/webrtc/rooms/r1/"
local file = { receiver_id = "ann", filename = "a.txt", file_size = 1 }
local offer = { transfer_id = "f1", file_name = "a.txt", file_size = 1, file_type = "", total_chunks = 1 }

sig.test("who may not share files can neither by message nor by POST", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests("POST " .. r1 .. "permissions/bob", { can_share_files = false, can_share_screen = false, can_send_chat = false })
  bob:sends("file-share-offer", offer, "ann")
  bob:is_refused "PERMISSION_DENIED"
  assert(bob:requests("POST " .. r1 .. "file-transfer/offer", file).status == 403)
  assert(next(t:state("r1", "std.file_transfer").open or {}) == nil)
  bob:sends("screen-share-control", { action = "start" })
  bob:is_refused "PERMISSION_DENIED"
  assert(#(t:state("r1", "std.screen_share").sharers or {}) == 0)
  bob:sends("chat-message", { content = "hi" })
  bob:is_refused "PERMISSION_DENIED"
  ann:receives_nothing "chat-message"
end)

sig.test("who is given can_record records", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests("POST " .. r1 .. "permissions/bob", { can_record = true })
  bob:sends("recording-control", { action = "start", recording_id = "rec1" })
  ann:receives("recording-status", { status = "recording" })
  assert(bob:requests("POST " .. r1 .. "recording/start").status == 200)
  ann:requests("POST " .. r1 .. "permissions/bob", { can_record = false })
  assert(bob:requests("POST " .. r1 .. "recording/start").status == 403)
  bob:sends("recording-control", { action = "stop", recording_id = "rec1" }) -- his own he may still stop
  ann:receives("recording-status", { recording_id = "rec1", status = "stopped" })
end)

sig.test("switches of the room hold over HTTP, too", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests("POST " .. r1 .. "settings", { enable_file_sharing = false, enable_recording = false })
  assert(bob:requests("POST " .. r1 .. "file-transfer/offer", file).status == 403)
  assert(ann:requests("POST " .. r1 .. "recording/start").status == 403)
  ann:sends("recording-control", { action = "start", recording_id = "rec1" })
  ann:is_refused()
  assert(next(t:state("r1", "std.recording").open or {}) == nil)
end)
