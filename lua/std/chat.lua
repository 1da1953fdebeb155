-- Chat. A message with a target is private.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.chat", api = 1 }

sig.type "chat-message" {
  absent = "broadcast",
  alias = "chat_message",
  payload = sig.object {
    message_id = field.optional_id,
    user_id = field.user,
    username = field.text,
    content = sig.string { max = 16384 },
    timestamp = field.timestamp,
    message_type = sig.string { one_of = { "text", "emoji", "system" }, optional = true },
    reply_to = field.optional_id,
  },
}
