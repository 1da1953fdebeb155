-- How good a connection is, and what is sent because of it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.quality" }

local when = "2026-01-05T12:00:00Z"

sig.test("figures of a connection are numbers, and all may be missing", function(t)
  local full = { user_id = "ann", bandwidth_up = 1.5, bandwidth_down = 20, latency = 30, packet_loss = 0.1, jitter = 2 }
  full.connection_quality, full.timestamp = "good", when
  scene.checks_payload(t, "network-stats", full, {}, {
    { "user_id", 5 },
    { "bandwidth_up", "much" },
    { "bandwidth_down", true },
    { "latency", "30" },
    { "packet_loss", {} },
    { "jitter", "2" },
    { "connection_quality", 5 },
    { "timestamp", 5 },
    { "extra", true, "payload" },
  })
end)

sig.test("what a sender changes is told", function(t)
  local full = { user_id = "ann", video_resolution = "720p", video_bitrate = 800000, audio_bitrate = 32000, frame_rate = 25 }
  full.reason, full.timestamp = "bandwidth", when
  scene.checks_payload(t, "quality-update", full, {}, {
    { "user_id", 5 },
    { "video_resolution", 720 },
    { "video_bitrate", "800k" },
    { "audio_bitrate", "32k" },
    { "frame_rate", "25" },
    { "reason", 5 },
    { "timestamp", 5 },
    { "extra", true, "payload" },
  })
end)
