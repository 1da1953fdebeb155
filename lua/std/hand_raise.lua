-- Raised hands.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.hand_raise", api = 1 }

sig.type "hand-raise" {
  absent = "broadcast",
  alias = "hand_raise",
  payload = sig.object {
    user_id = field.user,
    username = field.text,
    raised = sig.boolean,
    timestamp = field.timestamp,
  },
}

sig.type "hand-raise-queue" {
  from = "server",
  alias = "hand_raise_queue",
  payload = sig.object {
    queue = sig.array(sig.object {
      username = field.text,
      raised_at = field.timestamp,
      position = sig.integer { min = 1 },
      user_id = field.id,
    }),
    timestamp = field.timestamp,
  },
}
