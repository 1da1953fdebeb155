-- Whom a target means: a user with all his connections, or one peer.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.signaling", "std.presence", "std.chat" }

local function bob_twice(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local second = t:client "bob"
  return ann, bob, second, scene.peer(second:joins "r1")
end

sig.test("a user means all his connections", function(t)
  local ann, bob, second = bob_twice(t)
  ann:sends("chat-message", { content = "both of you" }, "bob")
  bob:receives "chat-message"
  second:receives "chat-message"
end)

sig.test("a peer_id means one connection", function(t)
  local ann, bob, second, peer = bob_twice(t)
  ann:sends("offer", { sdp = scene.sdp, type = "offer" }, peer)
  second:receives { type = "offer", sender_id = "ann" }
  bob:receives_nothing "offer"
end)

sig.test("one's other connections hear what one says to all, and what one says to oneself", function(t)
  local _, bob, second = bob_twice(t)
  bob:sends("chat-message", { content = "to all" })
  second:receives { type = "chat-message", sender_id = "bob", payload = { content = "to all" } }
  bob:sends("chat-message", { content = "note to self" }, "bob")
  second:receives("chat-message", { content = "note to self" })
  bob:receives_nothing "chat-message"
end)

sig.test("who has left is not found, and who never was here neither", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:leaves()
  for _, name in ipairs { "bob", "max" } do
    ann:sends("chat-message", { content = "are you there?" }, name)
    assert(ann:is_refused("TARGET_NOT_FOUND").payload.details.target == name)
  end
end)

sig.test("what is said to somebody who is away waits for him", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:drops()
  ann:sends("chat-message", { content = "when you are back" }, "bob")
  ann:receives_nothing "error"
  bob:resumes()
  bob:receives("chat-message", { content = "when you are back" })
end)

sig.test("a target in another room is not found", function(t)
  local ann = scene.call(t, "ann")
  t:client("eve"):joins "r2"
  ann:sends("chat-message", { content = "hello?" }, "eve")
  ann:is_refused "TARGET_NOT_FOUND"
end)
