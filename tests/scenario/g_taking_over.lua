-- A session may be resumed while its old socket still looks open: that one is closed with 4409, and nobody has left.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

sig.test("a resume over a new socket takes the session over from one that is dead", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:vanishes()
  ann:sends("chat-message", { content = "one" })
  assert(bob:resumes().payload.resumed)
  bob:receives("chat-message", { content = "one" })
  t:advance "1min"
  ann:receives_nothing()
end)

sig.test("each return brings the token for the next", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for i = 1, 4 do
    bob:drops()
    ann:sends("chat-message", { content = tostring(i) })
    assert(bob:resumes().payload.resumed)
    bob:receives("chat-message", { content = tostring(i) })
    bob:sends("chat-message", { content = "thanks" })
  end
end)
