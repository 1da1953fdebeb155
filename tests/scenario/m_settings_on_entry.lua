-- How many come in, and how: seats, muted, without picture.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.room_settings", "std.media" }

local function set(host, settings)
  assert(host:requests("POST /webrtc/rooms/r1/settings", settings).status == 200)
end

sig.test("a room has as many seats as its host says; 0 is all that the server has", function(t)
  local ann = scene.call(t, "ann", "bob")
  set(ann, { max_participants = 2 })
  local eve = t:client "eve"
  eve:joins "r1"
  assert(eve:is_refused("ROOM_FULL").payload.details.limit == 2)
  set(ann, { max_participants = 0 })
  eve:joins "r1"
  assert(ann:requests("/webrtc/rooms/r1/settings").body.settings.max_participants == nil)
end)

sig.test("who is to come in silent finds himself so, as everybody does, and nothing else comes unasked", function(t)
  local ann = scene.call(t, "ann")
  set(ann, { mute_on_entry = true, disable_video_on_entry = true })
  local bob = t:client { user = "bob", dialect = "compat" }
  local his = bob:joins("r1").payload.participants[2]
  assert(his.attr.audio_enabled == false and his.attr.video_enabled == false)
  bob:receives_nothing()
  bob:sends("media_control", { action = "unmute", media_type = "audio" })
  ann:receives("media-control", { action = "unmute" })
  assert(t:room("r1").members[2].attr.audio_enabled == true)
end)

sig.test("where he may not unmute himself he stays muted", function(t)
  local ann = scene.call(t, "ann")
  set(ann, { mute_on_entry = true, allow_participants_unmute = false })
  local bob = t:client "bob"
  bob:joins "r1"
  bob:sends("media-control", { action = "unmute", media_type = "audio" })
  bob:is_refused "PERMISSION_DENIED"
  assert(t:room("r1").members[2].attr.audio_enabled == false)
end)
