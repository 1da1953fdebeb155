-- Screens and microphones, where the host has switched them off: what was begun may be ended.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.room_settings", "std.media", "std.recording", "std.chat" }

local function set(host, settings)
  assert(host:requests("POST /webrtc/rooms/r1/settings", settings).status == 200)
end

sig.test("what was begun before may be ended", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("screen-share-control", { action = "start" })
  set(ann, { enable_screen_share = false })
  ann:sends("screen-share-control", { action = "stop" })
  bob:receives("screen-share-control", { action = "stop" })
  ann:sends("recording-control", { action = "start", recording_id = "x" })
  set(ann, { enable_recording = false })
  for _, action in ipairs { "pause", "stop" } do
    ann:sends("recording-control", { action = action, recording_id = "x" })
    bob:receives("recording-control", { action = action })
  end
end)

sig.test("a field of another type's makes no exception", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local old = t:client { user = "old", dialect = "compat" }
  old:joins "r1"
  set(ann, { enable_chat = false })
  old:sends("chat_message", { content = "hello", action = "stop" })
  assert(old:is_refused("PERMISSION_DENIED").payload.details.setting == "enable_chat")
  bob:receives_nothing "chat-message"
end)

sig.test("screens are switched off in media-control too, for everybody; cameras are not", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  set(ann, { enable_screen_share = false })
  for _, client in ipairs { ann, bob } do
    client:sends("media-control", { action = "video_on", media_type = "screen-share" })
    assert(client:is_refused("PERMISSION_DENIED").payload.details.setting == "enable_screen_share")
  end
  ann:sends("media-control", { action = "video_off", media_type = "screen-share" })
  ann:sends("media-control", { action = "video_on", media_type = "video" })
  bob:receives("media-control", { action = "video_off" })
  bob:receives("media-control", { action = "video_on" })
end)

sig.test("participants stay muted where the host says so; who leads does not", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  set(ann, { allow_participants_unmute = false })
  bob:sends("media-control", { action = "unmute", media_type = "audio" })
  assert(bob:is_refused("PERMISSION_DENIED").payload.details.setting == "allow_participants_unmute")
  ann:receives_nothing "media-control"
  bob:sends("media-control", { action = "mute", media_type = "audio" })
  ann:receives "media-control"
  ann:sends("media-control", { action = "unmute", media_type = "audio" })
  bob:receives("media-control", { action = "unmute" })
end)
