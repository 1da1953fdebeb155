-- The waiting room: who waits is not heard and hears nothing until he is let in.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.signaling", "std.roles", "std.room_settings", "std.waiting_room" }
sig.use { "std.permissions", "std.chat", "std.media" }

-- Ann is host, Bob is in, Eve waits.
local function waiting(t)
  local ann, bob = scene.call(t, "ann", "bob")
  assert(ann:requests("POST /webrtc/rooms/r1/settings", { enable_waiting_room = true }).status == 200)
  local eve = t:client "eve"
  eve:joins "r1"
  return ann, bob, eve
end

local function decide(by, user, action)
  return by:requests("POST /webrtc/rooms/r1/waiting-room/" .. user .. "/" .. action)
end

sig.test("hosts and moderators are told who waits, once, and nobody else is", function(t)
  local ann, bob, eve = waiting(t)
  eve:sends("waiting-room-join", { username = "Eve" })
  ann:receives { type = "waiting-room-join", sender_id = "eve", payload = { user_id = "eve" } }
  ann:receives_nothing "waiting-room-join"
  bob:receives_nothing "waiting-room-join"
end)

sig.test("who waits says nothing and hears nothing until he is let in", function(t)
  local ann, bob, eve = waiting(t)
  eve:sends("chat-message", { content = "let me in" })
  eve:is_refused "STILL_WAITING"
  ann:sends("chat-message", { content = "shall we?" })
  ann:sends("media-control", { action = "mute", media_type = "audio" })
  bob:receives("chat-message", { content = "shall we?" })
  ann:receives_nothing "chat-message"
  ann:sends("chat-message", { content = "psst" }, "eve")
  ann:is_refused "STILL_WAITING"
  ann:sends("offer", { sdp = scene.sdp, type = "offer" }, "eve")
  ann:is_refused "STILL_WAITING"
  eve:receives_nothing { sender_id = t.any }
  assert(decide(ann, "eve", "admit").status == 200)
  eve:receives("waiting-room-admit", { user_id = "eve", actioned_by = "ann" })
  eve:sends("chat-message", { content = "thank you" })
  bob:receives("chat-message", { content = "thank you" })
  bob:sends("chat-message", { content = "welcome" })
  eve:receives("chat-message", { content = "welcome" })
end)

sig.test("a compat client's message to somebody who never was here does not reach who waits", function(t)
  local ann, _, eve = waiting(t)
  local old = t:client { user = "old", dialect = "compat" }
  old:joins "r1"
  decide(ann, "old", "admit")
  old:sends("chat-message", { content = "hello" }, "stranger")
  ann:receives("chat-message", { content = "hello" })
  eve:receives_nothing "chat-message"
end)

sig.test("whom somebody let in has his role, and need not wait again", function(t)
  local ann, _, eve = waiting(t)
  decide(ann, "eve", "admit")
  ann:receives("user-joined", { user_id = "eve", role = "participant" })
  eve:leaves()
  assert(eve:joins("r1").payload.self.role == "participant")
  eve:sends("chat-message", { content = "back again" })
  ann:receives("chat-message", { content = "back again" })
end)

sig.test("who leaves while he waits never was here: the room knows no role of his, and he waits again", function(t)
  local ann, _, eve = waiting(t)
  eve:leaves()
  assert(ann:requests("/webrtc/rooms/r1/roles/eve").status == 404)
  eve:joins "r1"
  eve:sends("chat-message", { content = "hello" })
  eve:is_refused "STILL_WAITING"
end)

sig.test("a lost connection does not let in", function(t)
  local ann, _, eve = waiting(t)
  eve:drops()
  ann:sends("chat-message", { content = "while he is away" })
  eve:resumes()
  eve:receives_nothing "chat-message"
  eve:sends("chat-message", { content = "hello" })
  eve:is_refused "STILL_WAITING"
end)
