-- Events that clients report about their use of the room.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.analytics", api = 1 }

sig.type "analytics-event" {
  absent = "broadcast",
  alias = "analytics_event",
  payload = sig.object {
    event_type = sig.string { min = 1, max = 128 },
    user_id = field.user,
    data = sig.any { optional = true },
    timestamp = field.timestamp,
  },
}
