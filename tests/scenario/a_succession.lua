-- When the host leaves: a moderator, else a participant, the one who has been here longest, and rather one who is not away.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles" }
sig.type "set-role" { payload = sig.object { user = sig.string, role = sig.string } }
sig.on("message:set-role", function(room, member, message)
  room:member(message.payload.user):set_role(message.payload.role, { by = member.id })
  return sig.handled()
end)

sig.test("the participant who has been here longest follows", function(t)
  local ann, _, eve = scene.call(t, "ann", "bob", "eve")
  ann:leaves()
  local updated = eve:receives("role-updated", { user_id = "bob", role = "host" })
  assert(updated.payload.updated_by == nil) -- the server did it
  assert(t:room("r1").host == "bob")
end)

sig.test("a moderator follows before a participant, and never an observer", function(t)
  local ann, _, eve = scene.call(t, "ann", "bob", "eve")
  ann:sends("set-role", { user = "eve", role = "moderator" })
  ann:leaves()
  eve:receives("role-updated", { user_id = "eve", role = "host" })
  eve:sends("set-role", { user = "bob", role = "observer" })
  eve:leaves()
  assert(t:room("r1").host == nil)
end)

sig.test("who is away is passed over while somebody else is there", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  bob:drops()
  ann:leaves()
  eve:receives("role-updated", { user_id = "eve", role = "host" })
end)

sig.test("a former host is a moderator when he returns, and host again when there is none", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:leaves()
  assert(ann:joins("r1").payload.self.role == "moderator")
  bob:leaves()
  ann:receives("role-updated", { user_id = "ann", role = "host" })
end)
