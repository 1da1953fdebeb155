-- Chat: to everybody else, or with a target to one; as long as 16,384 characters.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local full = {
  message_id = "m1",
  user_id = "ann",
  username = "Ann",
  content = "hello",
  timestamp = "2026-01-05T12:00:00Z",
  message_type = "text",
  reply_to = "m0",
}

sig.test("a chat message has the fields of its type and no others", function(t)
  scene.checks_payload(t, "chat-message", full, { content = "" }, {
    { "content" },
    { "content", 5 },
    { "content", ("x"):rep(16385) },
    { "message_id", "" },
    { "message_id", 7 },
    { "user_id", ("u"):rep(257) },
    { "username", false },
    { "username", ("n"):rep(4097) },
    { "timestamp", ("1"):rep(65) },
    { "timestamp", 1767614400 },
    { "message_type", "shout" },
    { "reply_to", "" },
    { "colour", "red", "payload" },
  })
end)

sig.test("a message is a text, an emoji or the system's", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, kind in ipairs { "text", "emoji", "system" } do
    ann:sends("chat-message", { content = "x", message_type = kind })
    bob:receives("chat-message", { message_type = kind })
  end
end)

sig.test("characters count, not bytes", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local content = ("ü"):rep(16384)
  ann:sends("chat-message", { content = content })
  bob:receives("chat-message", { content = content })
end)

sig.test("the server says who sent it, whatever the payload claims", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("chat-message", { content = "hi", user_id = "eve" })
  bob:receives { type = "chat-message", sender_id = "ann", payload = { user_id = "eve" } }
end)

sig.test("a client's own timestamp is kept, and one is given where there is none", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends { type = "chat-message", payload = { content = "hi" }, timestamp = "yesterday" }
  bob:receives { type = "chat-message", timestamp = "yesterday" }
  ann:sends("chat-message", { content = "hi" })
  bob:receives { type = "chat-message", timestamp = t.match "^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d+%+00:00$" }
end)
