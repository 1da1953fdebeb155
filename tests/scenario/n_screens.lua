-- Shared screens, microphones and cameras: who comes later finds them, and a screen stops when who shares it leaves.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.media" }

local function attr(t, place)
  return t:room("r1").members[place].attr
end

sig.test("who shares his screen is known until he stops", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("screen-share-control", { action = "start", screen_id = "s1" })
  ann:receives { type = "screen-share-control", sender_id = "bob", payload = { action = "start" } }
  assert(attr(t, 2).screen_sharing == true and t:state("r1", "std.screen_share").sharers[1] == "bob")
  bob:sends("screen-share-control", { action = "stop" })
  assert(attr(t, 2).screen_sharing == nil and #t:state("r1", "std.screen_share").sharers == 0)
end)

sig.test("it stops when he leaves", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("screen-share-control", { action = "start" })
  bob:leaves()
  ann:receives("screen-share-control", { action = "stop", user_id = "bob" })
  assert(#t:state("r1", "std.screen_share").sharers == 0)
end)

sig.test("nothing is said of a screen that was not shared", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:leaves()
  ann:receives_nothing "screen-share-control"
end)

sig.test("several may share at once", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("screen-share-control", { action = "start" })
  bob:sends("screen-share-control", { action = "start" })
  ann:receives("screen-share-control", { action = "start" })
  assert(#t:state("r1", "std.screen_share").sharers == 2)
end)

sig.test("who is muted or shows no picture is known to who comes later", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("media-control", { action = "mute", media_type = "audio" })
  ann:sends("media-control", { action = "video_off", media_type = "video" })
  local seen = t:client("eve"):joins("r1").payload.participants[1]
  assert(seen.attr.audio_enabled == false and seen.attr.video_enabled == false)
  ann:sends("media-control", { action = "unmute", media_type = "audio" })
  ann:sends("media-control", { action = "video_on", media_type = "video" })
  ann:sends("media-control", { action = "mute", media_type = "screen-share" }) -- not his microphone
  assert(attr(t, 1).audio_enabled == true and attr(t, 1).video_enabled == true)
end)
