-- The hook `joined`: who has come in got his room-state, and can be spoken to; in `join` that is too early.
local sig = require "lunasig"
sig.use { "std.presence", "std.chat" }

sig.type "greeting" { from = "server" }

sig.on("join", function(_, member)
  if member.claims.hasty then member:send("greeting", { to = member.id }) end
end)

sig.on("joined", function(room, member)
  assert(member.present and room:member(member.id))
  member:send("greeting", { to = member.id, count = room.count })
end)

sig.test("who has entered is greeted, and nobody else hears it", function(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"
  ann:receives("greeting", { to = "ann", count = 1 })
  bob:joins "r1"
  bob:receives("greeting", { to = "bob", count = 2 })
  ann:receives_nothing "greeting"
end)

sig.test("a further connection of a member, or one that resumes, is no entering", function(t)
  local ann, again = t:client "ann", t:client "ann"
  ann:joins "r1"
  ann:receives "greeting"
  again:joins "r1"
  again:receives_nothing "greeting"
  ann:drops()
  ann:resumes()
  ann:receives_nothing "greeting"
end)

sig.test("in join it is too early to send to him, which is said", function(t)
  local ann = t:client { user = "ann", claims = { hasty = true } }
  t:expects_error 'ann is not in the room yet: send it in sig.on%("joined"'
  ann:joins "r1"
  ann:is_refused "POLICY_ERROR"
end)
