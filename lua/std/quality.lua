-- How good somebody's connection is, and what he sends because of it.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.quality", api = 1 }

sig.type "network-stats" {
  absent = "broadcast",
  alias = "network_stats",
  payload = sig.object {
    user_id = field.user,
    bandwidth_up = field.number,
    bandwidth_down = field.number,
    latency = field.number,
    packet_loss = field.number,
    jitter = field.number,
    connection_quality = field.text,
    timestamp = field.timestamp,
  },
}

sig.type "quality-update" {
  absent = "broadcast",
  alias = "quality_update",
  payload = sig.object {
    user_id = field.user,
    video_resolution = field.text,
    video_bitrate = field.number,
    audio_bitrate = field.number,
    frame_rate = field.number,
    reason = field.text,
    timestamp = field.timestamp,
  },
}
