-- Who comes back has the role that he left with; a policy may say with which role somebody comes.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles" }

sig.on("join", function(room, member)
  if member.claims.watches then room:remember_role(member.id, "observer") end
  if member.claims.staff then room:remember_role(member.id, "moderator") end
end)

local function role(client)
  return client:joins("r1").payload.self.role
end

sig.test("a policy may say with which role somebody comes", function(t)
  scene.call(t, "ann")
  assert(role(t:client { user = "bob", claims = { staff = true } }) == "moderator")
  assert(role(t:client { user = "eve", claims = { watches = true } }) == "observer")
  assert(role(t:client "max") == "participant")
end)

sig.test("an observer does not become host of an empty room, anybody else does", function(t)
  local eve = t:client { user = "eve", claims = { watches = true } }
  assert(role(eve) == "observer")
  assert(t:room("r1").host == nil)
  assert(role(t:client "max") == "host")
end)

sig.test("roles come back with their owner", function(t)
  scene.call(t, "ann")
  local bob = t:client { user = "bob", claims = { staff = true } }
  assert(role(bob) == "moderator")
  bob:leaves()
  assert(role(t:client "bob") == "moderator")
end)

sig.test("roles are forgotten with the room, an hour after the last has left", function(t)
  local ann = scene.call(t, "ann")
  local bob = t:client { user = "bob", claims = { staff = true } }
  assert(role(bob) == "moderator")
  ann:leaves()
  bob:leaves()
  t:advance "61min"
  scene.call(t, "ann")
  assert(role(t:client "bob") == "participant")
end)
