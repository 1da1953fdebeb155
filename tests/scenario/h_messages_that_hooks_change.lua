-- message:replace and message:to: another payload, other receivers.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local changes = {
  replace = function(_, message) message:replace { content = message.payload.content:upper() } end,
  host = function(_, message) message:to { role = "host" } end,
  eve = function(_, message) message:to "eve" end,
  both = function(room, message) message:to { "eve", room:member "bob", "nobody" } end,
  room = function(_, message) message:to "room" end,
}
sig.on("message:chat-message", function(room, _, message)
  local change = changes[message.payload.content]
  if change then change(room, message) end
end)
sig.on("message:chat-message", function(_, _, message)
  if message.payload.content == "REPLACE" then message:replace { content = "replaced twice" } end
end)

local function said(t, content, target)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  bob:sends("chat-message", { content = content }, target)
  return ann, bob, eve
end

sig.test("another payload goes out, and the next hook sees it", function(t)
  local ann, _, eve = said(t, "replace")
  ann:receives("chat-message", t.exactly { content = "replaced twice" })
  eve:receives { type = "chat-message", sender_id = "bob", payload = { content = "replaced twice" } }
end)

sig.test("to those with a role", function(t)
  local ann, _, eve = said(t, "host")
  ann:receives "chat-message"
  eve:receives_nothing "chat-message"
end)

sig.test("to one, whatever the target was", function(t)
  local ann, _, eve = said(t, "eve", "ann")
  eve:receives "chat-message"
  ann:receives_nothing "chat-message"
end)

sig.test("to several, the sender too; who is not there is left out", function(t)
  local ann, bob, eve = said(t, "both")
  eve:receives "chat-message"
  bob:receives "chat-message"
  ann:receives_nothing "chat-message"
end)

sig.test("to everybody, although it was private", function(t)
  local ann, bob, eve = said(t, "room", "ann")
  ann:receives "chat-message"
  eve:receives "chat-message"
  bob:receives_nothing "chat-message"
end)
