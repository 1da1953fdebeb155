-- Recordings: what clients tell each other about them. The server records nothing.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.recording", api = 1 }

sig.type "recording-control" {
  absent = "broadcast",
  alias = "recording_control",
  payload = sig.object {
    action = sig.string { one_of = { "start", "stop", "pause", "resume" } },
    recording_id = field.id,
    user_id = field.user,
    format = field.text,
    quality = field.text,
    include_audio = field.boolean,
    include_video = field.boolean,
    timestamp = field.timestamp,
  },
}

sig.type "recording-status" {
  absent = "broadcast",
  alias = "recording_status",
  payload = sig.object {
    recording_id = field.id,
    status = sig.string { max = 64 },
    duration = field.number,
    file_size = field.number,
    timestamp = field.timestamp,
  },
}
