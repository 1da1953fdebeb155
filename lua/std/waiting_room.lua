-- The waiting room: who waits is told to hosts and moderators, who decide.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.waiting_room", api = 1 }

sig.type "waiting-room-join" {
  to = { "role:host", "role:moderator" },
  alias = "waiting_room_join",
  payload = sig.object { user_id = field.user, username = field.text, timestamp = field.timestamp },
}

for _, action in ipairs { "admit", "reject" } do
  sig.type("waiting-room-" .. action) {
    from = "server",
    alias = "waiting_room_" .. action,
    payload = sig.object { user_id = field.id, actioned_by = field.id, timestamp = field.timestamp },
  }
end
