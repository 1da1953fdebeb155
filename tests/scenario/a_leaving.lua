-- A good-bye: who has left is gone at once, and the room with the last.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles" }

sig.test("who says good-bye has left, and the others hear why", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:leaves()
  ann:receives("user-left", { user_id = "bob", username = "bob", reason = "bye", revision = t.any })
  assert(t:room("r1").count == 1)
end)

sig.test("who has left cannot resume: he comes as somebody new", function(t)
  local _, bob = scene.call(t, "ann", "bob")
  bob:leaves()
  local welcome = bob:resumes()
  assert(not welcome.payload.resumed and welcome.payload.self.join_seq == 3)
end)

sig.test("an empty room is remembered for an hour, and then ends", function(t)
  local ann = scene.call(t, "ann")
  ann:leaves()
  assert(t:room("r1").count == 0)
  t:advance "61min"
  assert(t:room "r1" == nil)
  assert(ann:joins("r1").payload.self.role == "host")
end)
