-- What was said to everybody is recorded: in sig.store "chat_messages", at most a thousand messages of a room, for thirty days. Private
-- messages are not. Use it last: hooks of policies behind it may still refuse a message. Without this policy nothing is recorded.
local sig = require "lunasig"
local clock = require "lunasig.clock"

sig.policy { name = "std.chat_record", api = 1 }
sig.use "std.records"
local records = require "std.records"

local kept = 1000 -- messages of a room: the next thousand take the places of those before
local bytes_max = 16384 -- of a content: what is longer is cut
local ttl = "720h"

local function cut(content)
  if #content <= bytes_max then return content end
  return (content:sub(1, bytes_max + 1):gsub("[^\128-\191]?[\128-\191]*$", ""))
end

sig.on("message:chat-message", function(room, member, message)
  local payload = message.payload
  if message.target or type(payload.content) ~= "string" then return end
  records.later(room, "chat_messages", kept, {
    room_id = room.id,
    user_id = member.id,
    username = member.username,
    content = cut(payload.content),
    message_type = payload.message_type or "text",
    message_id = payload.message_id,
    reply_to = payload.reply_to,
    timestamp = clock.stamp(),
  }, ttl)
end)
