-- Microphones and cameras, and shared screens with std.screen_share: what others show of somebody. Who comes later finds it in
-- participants. Whether he may unmute himself, or show his picture, is asked by std.permissions and std.room_settings.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.media", api = 1 }
sig.use "std.screen_share"

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

local enabled = {
  mute = { "audio_enabled", false },
  unmute = { "audio_enabled", true },
  video_on = { "video_enabled", true },
  video_off = { "video_enabled", false },
}

sig.on("message:media-control", function(_, member, message)
  if message:get "media_type" == "screen-share" then return end
  local change = enabled[message:get "action"]
  if change then member.attr[change[1]] = change[2] end
end)
