-- A user may be in a room through several connections: he is one member, who leaves with the last of them.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles" }

sig.test("a second connection is announced as a peer, and is no second member", function(t)
  local ann = scene.call(t, "ann", "bob")
  local welcome = t:client("bob"):joins "r1"
  assert(welcome.payload.participant_count == 2)
  ann:receives("peer-joined", { user_id = "bob", peer_id = scene.peer(welcome), join_seq = 3 })
  ann:receives_nothing "user-joined"
end)

sig.test("the member leaves with his last connection", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local second = t:client "bob"
  local peer = scene.peer(second:joins "r1")
  second:leaves()
  ann:receives("peer-left", { user_id = "bob", peer_id = peer })
  ann:receives_nothing "user-left"
  bob:leaves()
  ann:receives("user-left", { user_id = "bob", reason = "bye" })
end)

sig.test("while one connection is left, the loss of another is no news", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  t:client("bob"):joins "r1"
  bob:drops()
  ann:receives_nothing "user-away"
  assert(not t:room("r1").members[2].away)
end)
