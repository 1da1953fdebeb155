-- Chat. A message with a target is private. Texts and names are cleaned, or refused when nothing is left of them (lunasig/text.lua). Who
-- may chat is asked by std.permissions; std.room_settings can switch it off.
local sig = require "lunasig"
local field = require "lunasig.field"
local text = require "lunasig.text"

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

sig.on("message:chat-message", function(_, _, message)
  local content, name = message:get "content", message:get "username"
  local clean, code, why = text.chat(content)
  if code then return sig.deny(code, why) end
  local clean_name = text.name(name)
  if clean == content and clean_name == name then return end
  local payload = message.payload
  payload.content, payload.username = clean, clean_name
  message:replace(payload)
end)
