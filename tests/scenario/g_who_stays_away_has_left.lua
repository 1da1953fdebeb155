-- RESUME_WINDOW_S: who does not come back within 30 s has left.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

sig.test("after thirty seconds he has left: timeout", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:drops()
  ann:receives "user-away"
  ann:receives_nothing { type = "user-left", within = "29s" }
  ann:receives { type = "user-left", payload = { user_id = "bob", reason = "timeout" }, within = "1s" }
end)

sig.test("who comes later than that comes as somebody new", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:drops()
  t:advance "31s"
  local welcome = bob:resumes()
  assert(welcome.payload.resumed == false and welcome.payload.self.join_seq == 3)
  ann:receives("user-joined", { user_id = "bob" })
end)

sig.test("the window begins anew with each loss", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _ = 1, 3 do
    bob:drops()
    t:advance "25s"
    assert(bob:resumes().payload.resumed)
  end
  ann:receives_nothing "user-left"
end)
