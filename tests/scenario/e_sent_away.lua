-- member:kick and member:close: all connections of the member, for good.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles" }

sig.type "kick" { from = "host", payload = sig.object { user = sig.string, code = sig.integer { optional = true } } }
sig.on("message:kick", function(room, _, message)
  local member = room:member(message.payload.user)
  if message.payload.code then
    member:close(message.payload.code, "go")
  else
    member:kick "enough"
  end
  return sig.handled()
end)

sig.test("who is kicked hears why, is closed with 4403 and has left", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local second = t:client "bob"
  second:joins "r1"
  ann:sends("kick", { user = "bob" })
  for _, client in ipairs { bob, second } do
    assert(client:is_refused("KICKED").payload.message == "enough")
    client:is_closed(4403)
  end
  ann:receives("user-left", { user_id = "bob", reason = "kicked" })
end)

sig.test("he cannot resume, but may come as somebody new", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("kick", { user = "bob" })
  bob:is_closed(4403)
  assert(not bob:resumes().payload.resumed)
  ann:receives("user-left", { user_id = "bob" })
  ann:receives("user-joined", { user_id = "bob" })
end)

sig.test("a policy closes with a code of its own", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("kick", { user = "bob", code = 4100 })
  assert(bob:is_refused("POLICY_DENIED").payload.message == "go")
  bob:is_closed(4100)
  ann:receives("user-left", { user_id = "bob", reason = "closed" })
end)
