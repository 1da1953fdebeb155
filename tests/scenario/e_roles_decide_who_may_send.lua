-- `from`: which roles may send a type. The role of the moment counts.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.chat" }

sig.type "quiz" { from = "host", payload = sig.object { question = sig.string } }
sig.type "pause" { from = { "host", "moderator" } }
sig.type "promote" { from = "host", payload = sig.object { user = sig.string, role = sig.string } }
sig.on("message:promote", function(room, member, message)
  room:member(message.payload.user):set_role(message.payload.role, { by = member.id })
  return sig.handled()
end)

sig.test("a type that is for hosts is refused to others, with the role that they have", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("quiz", { question = "why?" })
  bob:receives("quiz", { question = "why?" })
  bob:sends("quiz", { question = "why not?" })
  local details = bob:is_refused("PERMISSION_DENIED").payload.details
  assert(details.type == "quiz" and details.role == "participant")
  ann:receives_nothing "quiz"
end)

sig.test("a change of role is announced, and counts from the next message on", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("pause", {})
  bob:is_refused "PERMISSION_DENIED"
  ann:sends("promote", { user = "bob", role = "moderator" })
  bob:receives("role-updated", { user_id = "bob", role = "moderator", updated_by = "ann" })
  bob:sends("pause", {})
  ann:receives { type = "pause", sender_id = "bob" }
end)

sig.test("what everybody may send observers may too", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("promote", { user = "bob", role = "observer" })
  bob:sends("chat-message", { content = "I only watch" })
  ann:receives { type = "chat-message", sender_id = "bob" }
end)

sig.test("the role is asked before the payload", function(t)
  local _, bob = scene.call(t, "ann", "bob")
  bob:sends("quiz", { question = 5 })
  bob:is_refused "PERMISSION_DENIED"
end)
