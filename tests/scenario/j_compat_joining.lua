-- Clients of the original service: one room-state when they come, room-state and user-joined for the others, no numbers.
local sig = require "lunasig"
sig.use { "std.presence", "std.chat" }

local function compat(t, name)
  return t:client { user = name, dialect = "compat" }
end

sig.test("who comes gets one frame, the state of the room", function(t)
  local old = compat(t, "old")
  local welcome = old:joins "r1"
  assert(welcome.seq == nil and welcome.sender_peer_id == nil and welcome.payload.participant_count == 1)
  assert(welcome.payload.participants[1].user_id == "old")
  old:receives_nothing()
end)

sig.test("the others get the state, and then who has come", function(t)
  local old = compat(t, "old")
  old:joins "r1"
  t:client("ann"):joins "r1"
  old:receives("room-state", { participant_count = 2 })
  old:receives("user-joined", { user_id = "ann", username = "ann", timestamp = t.any })
  old:receives_nothing()
end)

sig.test("the same when somebody leaves", function(t)
  local old, ann = compat(t, "old"), t:client "ann"
  old:joins "r1"
  ann:joins "r1"
  old:receives "user-joined"
  ann:leaves()
  old:receives("room-state", { participant_count = 1 })
  old:receives("user-left", { user_id = "ann", reason = "bye" })
end)

sig.test("one's other connections do not hear what one says", function(t)
  local old, second, ann = compat(t, "old"), compat(t, "old"), t:client "ann"
  old:joins "r1"
  second:joins "r1"
  ann:joins "r1"
  old:sends("chat-message", { content = "hello" })
  ann:receives { type = "chat-message", sender_id = "old" }
  second:receives_nothing "chat-message"
end)

sig.test("it hears nothing of peers, acks and pongs", function(t)
  local old, ann = compat(t, "old"), t:client "ann"
  old:joins "r1"
  ann:joins "r1"
  t:client("ann"):joins "r1"
  old:receives_nothing "peer-joined"
  old:sends { type = "chat-message", payload = { content = "x" }, id = 1 }
  old:receives_nothing "ack"
  old:sends("ping", {})
  old:is_refused "UNKNOWN_TYPE"
end)
