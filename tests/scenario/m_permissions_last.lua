-- What was taken from somebody keeps him from nothing else, and stays taken; what was given to him he has.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.permissions", "std.chat", "std.media", "std.files", "std.recording" }

local function say(by, user, permissions)
  local answer = by:requests("POST /webrtc/rooms/r1/permissions/" .. user, permissions)
  assert(answer.status == 200)
  return answer
end

sig.test("who may not speak can still mute himself and stop", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  say(ann, "bob", { can_speak = false, can_share_video = false, can_share_screen = false })
  bob:sends("media-control", { action = "mute", media_type = "audio" })
  ann:receives("media-control", { action = "mute" })
  bob:sends("media-control", { action = "video_off", media_type = "video" })
  ann:receives("media-control", { action = "video_off" })
  bob:sends("screen-share-control", { action = "stop" })
  ann:receives("screen-share-control", { action = "stop" })
end)

sig.test("participants record when they were let", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("recording-control", { action = "start", recording_id = "x" })
  bob:is_refused "PERMISSION_DENIED"
  say(ann, "bob", { can_record = true })
  bob:sends("recording-control", { action = "start", recording_id = "x" })
  ann:receives { type = "recording-control", sender_id = "bob" }
end)

sig.test("what was taken stays taken when its owner leaves and comes back", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  say(ann, "bob", { can_send_chat = false })
  bob:leaves()
  bob:joins "r1"
  bob:sends("chat-message", { content = "me again" })
  bob:is_refused "PERMISSION_DENIED"
end)
