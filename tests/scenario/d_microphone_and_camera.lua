-- What others are shown of a microphone, a camera and a shared screen.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.media" }

local when = "2026-01-05T12:00:00Z"

sig.test("a microphone or a camera goes on or off, and everybody else hears it", function(t)
  local full = { action = "mute", media_type = "audio", user_id = "ann", timestamp = when }
  scene.checks_payload(t, "media-control", full, { action = "video_on", media_type = "screen-share" }, {
    { "action" },
    { "action", "explode" },
    { "media_type" },
    { "media_type", "smell" },
    { "user_id", "" },
    { "user_id", 5 },
    { "timestamp", 5 },
    { "extra", true, "payload" },
  })
end)

sig.test("each action and each medium is known", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, action in ipairs { "mute", "unmute", "video_on", "video_off" } do
    for _, medium in ipairs { "audio", "video", "screen-share" } do
      ann:sends("media-control", { action = action, media_type = medium })
      bob:receives("media-control", { action = action, media_type = medium })
    end
  end
end)

sig.test("a shared screen starts and stops", function(t)
  local full = { action = "start", user_id = "ann", screen_id = "s1", quality = "1080p", timestamp = when }
  scene.checks_payload(t, "screen-share-control", full, { action = "stop" }, {
    { "action" },
    { "action", "pause" },
    { "user_id", 1 },
    { "screen_id", "" },
    { "quality", 1080 },
    { "timestamp", false },
    { "extra", true, "payload" },
  })
end)
