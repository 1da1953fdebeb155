-- The stock policies at work: what a call, its chat and its waiting room do between clients.
local sig = require "lunasig"

sig.policy { name = "stock", api = 1 }
sig.use { "std.signaling", "std.presence", "std.media", "std.chat", "std.roles", "std.waiting_room" }

-- As short as RFC 8866 lets a session description be.
local sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"

local function call(t)
  local ann, bob, eve = t:client "ann", t:client "bob", t:client "eve"
  ann:joins "r1"
  bob:joins "r1"
  eve:joins "r1"
  return ann, bob, eve
end

sig.test("an offer reaches its target alone, and the answer comes back", function(t)
  local ann, bob, eve = call(t)
  ann:sends { type = "offer", target = "bob", payload = { sdp = sdp, type = "offer" } }
  local offer = bob:receives { type = "offer", sender_id = "ann", payload = { sdp = sdp } }
  bob:sends { type = "answer", target = offer.sender_id, payload = { sdp = sdp, type = "answer" } }
  ann:receives { type = "answer", sender_id = "bob" }
  eve:receives_nothing "offer"
  eve:receives_nothing "answer"
end)

sig.test("an offer to somebody who left is refused", function(t)
  local ann, bob = call(t)
  bob:leaves()
  ann:sends { type = "offer", target = "bob", payload = { sdp = sdp, type = "offer" } }
  ann:is_refused "TARGET_NOT_FOUND"
end)

sig.test("chat goes to everybody else, as both dialects write it", function(t)
  local ann, bob = call(t)
  local old = t:client { user = "old", dialect = "compat" }
  old:joins "r1"
  old:sends("chat_message", { content = "hello", user_id = sig.null })
  ann:receives { type = "chat-message", sender_id = "old", payload = { content = "hello" } }
  ann:sends("chat-message", { content = "welcome", reply_to = "m1" })
  bob:receives("chat-message", { content = "hello" })
  bob:receives("chat-message", { content = "welcome" })
  old:receives("chat-message", t.exactly { content = "welcome", reply_to = "m1" })
  old:receives_nothing "chat-message"
end)

sig.test("chat without content is refused in lunasig.v1", function(t)
  local ann, bob = call(t)
  ann:sends("chat-message", {})
  local refusal = ann:is_refused "INVALID_MESSAGE"
  assert(refusal.payload.details.field:find "content")
  bob:receives_nothing "chat-message"
end)

sig.test("chat above the rate of a connection is refused until time has passed", function(t)
  local ann, bob = call(t)
  for i = 1, 101 do
    ann:sends("chat-message", { content = "message " .. i })
  end
  ann:is_refused "RATE_LIMIT_EXCEEDED"
  bob:receives("chat-message", { content = "message 100" })
  bob:receives_nothing "chat-message"
  t:advance "1s"
  ann:sends("chat-message", { content = "again" })
  bob:receives("chat-message", { content = "again" })
end)

sig.test("the host's role goes to the longest present when the host leaves", function(t)
  local ann, bob, eve = call(t)
  ann:leaves()
  eve:receives("role-updated", { user_id = "bob", role = "host" })
  assert(t:room("r1").host == "bob")
  ann:joins "r1"
  bob:receives { type = "user-joined", payload = { user_id = "ann", role = "moderator" } }
end)

sig.test("nobody may send what only the server says about roles", function(t)
  local ann, bob = call(t)
  ann:sends("role-updated", { user_id = "ann", role = "host" })
  ann:is_refused "FORBIDDEN_TYPE"
  bob:receives_nothing "role-updated"
end)

sig.test("who waits is told to hosts and moderators alone", function(t)
  local ann, bob, eve = call(t)
  eve:sends("waiting-room-join", { user_id = "eve" })
  ann:receives { type = "waiting-room-join", sender_id = "eve" }
  bob:receives_nothing "waiting-room-join"
end)

sig.test("a call goes on over a lost connection", function(t)
  local ann, bob = call(t)
  bob:drops()
  ann:receives("user-away", { user_id = "bob" })
  ann:sends { type = "ice-candidate", target = "bob", payload = { candidate = "candidate:1 1 udp 1 192.0.2.1 9 typ host", sdpMid = "0" } }
  assert(bob:resumes().payload.resumed)
  bob:receives "ice-candidate"
  ann:receives("user-back", { user_id = "bob" })
end)
