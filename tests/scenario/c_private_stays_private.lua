-- What has a target, or goes to roles, reaches nobody else, and is never kept for those who come later.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }
sig.type.extend "chat-message" { keep = "log 10" }
sig.type "to-the-desk" { to = { "role:host", "role:moderator" }, keep = "log 10" }
sig.type "to-the-others" { to = "others" }
sig.type "to-the-server" { to = "server" }
sig.type "to-one" { to = "target" }

sig.test("a private message is not in the room-state of those who come later", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("chat-message", { content = "secret" }, "bob")
  bob:receives "chat-message"
  ann:sends("chat-message", { content = "public" })
  local kept = t:client("eve"):joins("r1").payload.kept
  assert(#kept == 1 and kept[1].payload.content == "public")
end)

sig.test("what goes to roles goes nowhere else, also when it names a target", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  bob:sends("to-the-desk", {})
  bob:sends("to-the-desk", {}, "eve")
  ann:receives "to-the-desk"
  ann:receives "to-the-desk"
  eve:receives_nothing "to-the-desk"
end)

sig.test("what goes to the others does not come to the sender's other connections", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local second = t:client "bob"
  second:joins "r1"
  bob:sends("to-the-others", {})
  ann:receives "to-the-others"
  second:receives_nothing "to-the-others"
end)

sig.test("what is for the server alone is relayed to nobody", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends { type = "to-the-server", id = 1 }
  bob:receives("ack", { id = 1 })
  ann:receives_nothing()
end)

sig.test("a type that is for one needs a target", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  ann:sends("to-one", {})
  ann:is_refused "INVALID_MESSAGE"
  ann:sends("to-one", {}, "bob")
  bob:receives "to-one"
  eve:receives_nothing "to-one"
end)
