-- Who comes first is host; what a newcomer is told of the room, and what the others are told of him.
local sig = require "lunasig"
sig.use { "std.presence", "std.roles" }

sig.test("the first to come is host, the next are participants", function(t)
  local ann, bob = t:client "ann", t:client { user = "bob", claims = { username = "Bob B." } }
  local welcome = ann:joins("r1").payload
  assert(welcome.self.role == "host" and welcome.participant_count == 1 and welcome.room_id == "r1")
  welcome = bob:joins("r1").payload
  assert(welcome.self.role == "participant" and welcome.self.user_id == "bob")
  assert(welcome.participants[1].role == "host" and welcome.participants[2].username == "Bob B.")
end)

sig.test("the others hear user-joined, with the revision that it makes, and nothing else", function(t)
  local ann, bob = t:client "ann", t:client "bob"
  local before = ann:joins("r1").payload.revision
  local welcome = bob:joins("r1").payload
  assert(welcome.revision == before + 1)
  ann:receives("user-joined", {
    user_id = "bob",
    username = "bob",
    role = "participant",
    revision = welcome.revision,
    peers = { { peer_id = welcome.self.peer_id, join_seq = welcome.self.join_seq } },
  })
  ann:receives_nothing()
  bob:receives_nothing()
end)

sig.test("who came later has the higher join_seq", function(t)
  local first = t:client("ann"):joins("r1").payload.self.join_seq
  assert(t:client("bob"):joins("r1").payload.self.join_seq > first)
end)

sig.test("rooms do not hear each other", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  assert(t:client("bob"):joins("r2").payload.self.role == "host")
  ann:receives_nothing()
end)

sig.test("a newcomer is told how to reach the others, and how to come back", function(t)
  local welcome = t:client("ann"):joins("r1")
  assert(welcome.seq == 1 and welcome.sender_id == nil and welcome.room_id == "r1")
  local payload = welcome.payload
  assert(payload.ice_transport_policy == "all" and payload.bundle_policy == "balanced" and payload.rtcp_mux_policy == "require")
  assert(payload.ice_servers[1].urls[1]:find "^stun:")
  assert(payload.session.resume_token and payload.session.expires_in == 30 and payload.session.last_id == 0)
end)
