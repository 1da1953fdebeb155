-- Microphone, camera and shared screens: what others show of somebody.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.media", api = 1 }

sig.type "media-control" {
  absent = "broadcast",
  alias = "media_control",
  payload = sig.object {
    action = sig.string { one_of = { "mute", "unmute", "video_on", "video_off" } },
    media_type = sig.string { one_of = { "audio", "video", "screen-share" } },
    user_id = field.user,
    timestamp = field.timestamp,
  },
}

sig.type "screen-share-control" {
  absent = "broadcast",
  alias = "screen_share_control",
  payload = sig.object {
    action = sig.string { one_of = { "start", "stop" } },
    user_id = field.user,
    screen_id = field.optional_id,
    quality = field.text,
    timestamp = field.timestamp,
  },
}
