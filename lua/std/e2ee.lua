-- End-to-end encryption: keys go to the one they are for, and to nobody else.
--
-- The recipient is named by recipient_user_id (or any other name of a target); when he is not there, the sender is told.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.e2ee", api = 1 }

sig.type "e2ee-key-exchange" {
  to = "target",
  absent = "error",
  alias = "e2ee_key_exchange",
  payload = sig.object {
    sender_user_id = field.user,
    recipient_user_id = field.id,
    key_type = sig.string { one_of = { "identity_key", "signed_pre_key", "one_time_pre_key", "ratchet_key" } },
    public_key = sig.string { min = 1, max = 8192 },
    key_id = field.id,
    signature = field.text,
    timestamp = field.timestamp,
  },
}

sig.type "e2ee-ratchet-update" {
  to = "target",
  absent = "error",
  alias = "e2ee_ratchet_update",
  payload = sig.object {
    sender_user_id = field.user,
    recipient_user_id = field.id,
    chain_key = sig.string { min = 1, max = 8192 },
    message_number = sig.integer { min = 0 },
    previous_chain_length = sig.integer { min = 0 },
    timestamp = field.timestamp,
  },
}
