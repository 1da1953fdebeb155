-- Breakout rooms: announced by the server.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.breakout", api = 1 }

local function announced(action, payload)
  payload.timestamp = field.timestamp
  sig.type("breakout-room-" .. action) {
    from = "server",
    alias = "breakout_room_" .. action,
    payload = sig.object(payload),
  }
end

announced("create", { config = sig.object, created_by = field.id })
announced("assign", { user_id = field.id, breakout_room_id = field.id, assigned_by = field.id })
announced("close", { breakout_room_id = field.id, closed_by = field.id })
