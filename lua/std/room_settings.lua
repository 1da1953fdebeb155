-- Settings of a room: announced by the server when the host changes them.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.room_settings", api = 1 }

sig.type "room-settings-update" {
  from = "server",
  alias = "room_settings_update",
  payload = sig.object { settings = sig.object, updated_by = field.user, timestamp = field.timestamp },
}
