local sig = require "lunasig"

sig.use "waiting_room"

-- Ann is host, Bob is in, Eve waits.
local function waiting(t)
  local ann, bob, eve = t:client "ann", t:client "bob", t:client "eve"
  ann:joins "r1"
  bob:joins "r1"
  ann:sends("waiting-room-decide", { user_id = "bob", admit = true })
  bob:receives("waiting-room-admit", { user_id = "bob" })
  eve:joins "r1"
  return ann, bob, eve
end

sig.test("the first to come is host and does not wait", function(t)
  t:client("ann"):joins "r1"
  assert(t:room("r1").host == "ann")
end)

sig.test("who waits can say nothing but that he waits, and only the host hears that", function(t)
  local ann, bob, eve = waiting(t)
  eve:sends("chat-message", { content = "let me in" })
  eve:is_refused "STILL_WAITING"
  ann:receives { type = "waiting-room-join", sender_id = "eve" }
  bob:receives_nothing "waiting-room-join"
  ann:receives_nothing "chat-message"
end)

sig.test("who waits hears nothing of what is said", function(t)
  local ann, bob, eve = waiting(t)
  ann:sends("chat-message", { content = "shall we?" })
  bob:receives("chat-message", { content = "shall we?" })
  ann:sends("chat-message", { content = "psst" }, "eve")
  ann:is_refused "STILL_WAITING"
  eve:receives_nothing "chat-message"
end)

sig.test("nobody sees him before he is let in, and then everybody does", function(t)
  local ann, bob, eve = waiting(t)
  bob:receives_nothing { payload = { user_id = "eve" } }
  ann:sends("waiting-room-decide", { user_id = "eve", admit = true })
  bob:receives("user-joined", { user_id = "eve" })
  assert(eve:receives("room-state").payload.participant_count == 3)
end)

sig.test("whom the host lets in talks and hears, and need not wait again", function(t)
  local ann, bob, eve = waiting(t)
  ann:sends("waiting-room-decide", { user_id = "eve", admit = true })
  eve:receives("waiting-room-admit", { user_id = "eve", actioned_by = "ann" })
  eve:receives_nothing "waiting-room-decide"
  eve:sends("chat-message", { content = "thank you" })
  bob:receives { type = "chat-message", sender_id = "eve" }
  eve:leaves()
  eve:joins "r1"
  eve:sends("chat-message", { content = "back again" })
  ann:receives("chat-message", { content = "back again" })
end)

sig.test("whom the host turns away is told and sent away, and waits when he comes again", function(t)
  local ann, _, eve = waiting(t)
  ann:sends("waiting-room-decide", { user_id = "eve", admit = false })
  eve:receives("waiting-room-reject", { user_id = "eve" })
  eve:is_closed(4403)
  eve:joins "r1"
  eve:sends("chat-message", { content = "please" })
  eve:is_refused "STILL_WAITING"
end)

sig.test("only hosts and moderators decide, and only about somebody who waits", function(t)
  local ann, bob, eve = waiting(t)
  bob:sends("waiting-room-decide", { user_id = "eve", admit = true })
  bob:is_refused "PERMISSION_DENIED"
  eve:sends("waiting-room-decide", { user_id = "eve", admit = true })
  eve:is_refused "STILL_WAITING"
  ann:sends("waiting-room-decide", { user_id = "bob", admit = true })
  ann:is_refused "NOT_WAITING"
end)
