-- Live streams: announced by the server. The stream key is never part of it.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.live_stream", api = 1 }

sig.type "live-stream-start" {
  from = "server",
  alias = "live_stream_start",
  payload = sig.object { config = sig.object, started_by = field.id, timestamp = field.timestamp },
}

sig.type "live-stream-stop" {
  from = "server",
  alias = "live_stream_stop",
  payload = sig.object {
    stream_id = field.id,
    stopped_by = field.id,
    duration_seconds = sig.number { min = 0 },
    timestamp = field.timestamp,
  },
}
