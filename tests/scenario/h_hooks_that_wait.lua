-- Hooks that wait: messages of a connection stay in their order, others go on, and what was allowed is looked at again.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }
sig.type "slow" { from = { "host", "participant" } }
sig.type "demote" { to = "server" }
sig.on("message:slow", function(room, member)
  sig.sleep "1s"
  if room.id == "careless" then member.data.done = true end -- member.present may be false now
end)
sig.on("message:demote", function(room)
  room:member("bob"):set_role "observer"
end)
sig.on("join", function(room)
  if room.id == "slow" then sig.sleep "1500ms" end
end)

sig.test("what comes behind a message that waits, waits too; what others say does not", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("slow", {})
  bob:sends("chat-message", { content = "behind it" })
  ann:sends("chat-message", { content = "not behind it" })
  bob:receives("chat-message", { content = "not behind it" })
  ann:receives_nothing()
  ann:receives { type = "slow", within = "1s" }
  ann:receives("chat-message", { content = "behind it" })
end)

sig.test("a sender who left meanwhile is not heard any more", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("slow", {})
  bob:leaves()
  ann:receives_nothing { type = "slow", within = "2s" }
end)

sig.test("writing to somebody who left meanwhile is an error: GONE", function(t)
  t:expects_error "GONE: bob has left the room"
  local bob = t:client "bob"
  bob:joins "careless"
  bob:sends("slow", {})
  bob:leaves()
  t:advance "1s"
end)

sig.test("a sender whose role was taken meanwhile is refused", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("slow", {})
  ann:sends("demote", {})
  t:advance "1s"
  bob:is_refused "PERMISSION_DENIED"
  ann:receives_nothing "slow"
end)

sig.test("a target that left meanwhile is not found", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("slow", {}, "bob")
  bob:leaves()
  t:advance "1s"
  ann:is_refused "TARGET_NOT_FOUND"
end)

sig.test("who joins waits for the hook, and is a member when it is done", function(t)
  local ann, before = t:client "ann", sig.now()
  assert(ann:joins("slow").payload.self.role == "host")
  assert(sig.now() - before >= 1.4)
end)
