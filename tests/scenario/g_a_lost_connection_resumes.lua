-- A connection that breaks is away, and resumes where it was: the same peer, and exactly what it missed.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.signaling", "std.presence", "std.chat" }

sig.test("who was lost hears what he missed, in its order, with its numbers", function(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"
  local peer = scene.peer(bob:joins "r1")
  bob:drops()
  ann:sends("chat-message", { content = "one" })
  ann:sends("ice-candidate", { candidate = "" }, peer)
  ann:sends("chat-message", { content = "two" })
  local welcome = bob:resumes()
  assert(welcome.payload.resumed == true and welcome.seq == nil and scene.peer(welcome) == peer)
  bob:receives { type = "chat-message", payload = { content = "one" }, seq = 2 }
  bob:receives { type = "ice-candidate", seq = 3 }
  bob:receives { type = "chat-message", payload = { content = "two" }, seq = 4 }
  bob:receives_nothing()
end)

sig.test("the others hear user-away and user-back, each with its revision, and not that he left", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:drops()
  local away = ann:receives("user-away", { user_id = "bob", timestamp = t.any })
  t:advance "5s"
  bob:resumes()
  local back = ann:receives("user-back", { user_id = "bob", revision = t.any })
  assert(back.payload.revision > away.payload.revision)
  ann:receives_nothing()
end)

sig.test("who comes meanwhile sees that he is away", function(t)
  local _, bob = scene.call(t, "ann", "bob")
  bob:drops()
  local participants = t:client("eve"):joins("r1").payload.participants
  assert(participants[2].user_id == "bob" and participants[2].away == true and participants[1].away == nil)
end)

sig.test("a host who is away stays host", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:drops()
  t:advance "20s"
  ann:resumes()
  bob:receives_nothing "role-updated"
  assert(t:room("r1").host == "ann")
end)

sig.test("a network that is gone without a word is noticed by its silence", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:vanishes()
  ann:receives_nothing { type = "user-away", within = "24s" }
  ann:receives { type = "user-away", payload = { user_id = "bob" }, within = "1s" }
  ann:sends("chat-message", { content = "gone?" })
  assert(bob:resumes().payload.resumed)
  bob:receives("chat-message", { content = "gone?" })
end)
