-- The claims of a token are what policies know of a user, whatever he says himself.
local sig = require "lunasig"
sig.use { "std.presence" }
sig.type "who-am-i" { to = "server" }
sig.on("message:who-am-i", function(_, member)
  member:send("you-are", { id = member.id, name = member.username, claims = member.claims })
end)

sig.test("a policy sees all claims, and sub and username are the user", function(t)
  local ann = t:client { user = "ann", claims = { username = "Ann A.", plan = "pro", groups = { "a", "b" } } }
  ann:joins "r1"
  ann:sends("who-am-i", {})
  ann:receives("you-are", { id = "ann", name = "Ann A.", claims = { sub = "ann", plan = "pro", groups = { "a", "b" }, exp = t.any } })
end)

sig.test("without a username the id is one", function(t)
  local ann = t:client "ann"
  assert(ann:joins("r1").payload.participants[1].username == "ann")
end)

sig.test("who comes back with other claims is known by these", function(t)
  local bob = t:client { user = "bob", claims = { plan = "free" } }
  bob:joins "r1"
  local second = t:client { user = "bob", claims = { plan = "pro" } }
  second:joins "r1"
  bob:sends("who-am-i", {})
  bob:receives("you-are", { claims = { plan = "pro" } })
end)
