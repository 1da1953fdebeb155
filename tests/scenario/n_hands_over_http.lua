-- Raising a hand by POST and by a message is the same hand, in the same queue.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.hand_raise" }

local hand, queue = "POST /webrtc/rooms/r1/hand-raise", "GET /webrtc/rooms/r1/hand-raise/queue"

sig.test("a hand that goes up by POST is heard, and is in the queue", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("hand-raise", { raised = true })
  ann:receives "hand-raise-queue"
  local answer = bob:requests(hand .. "?raised=true")
  assert(answer.status == 200 and answer.body.success and answer.body.raised and answer.body.position == 2)
  ann:receives { type = "hand-raise", sender_id = "bob", payload = { user_id = "bob", username = "bob", raised = true } }
  answer = bob:requests(queue)
  assert(answer.status == 200 and answer.body.room_id == "r1" and answer.body.count == 2)
  assert(answer.body.queue[1].user_id == "ann" and answer.body.queue[2].position == 2)
end)

sig.test("asking again changes nothing, and lowering works both ways", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  assert(bob:requests(hand).body.position == 1)
  ann:receives "hand-raise"
  assert(bob:requests(hand).body.position == 1)
  ann:receives_nothing "hand-raise"
  bob:sends("hand-raise", { raised = false })
  ann:receives("hand-raise", { raised = false })
  assert(#bob:requests(queue).body.queue == 0)
  bob:requests(hand)
  local answer = bob:requests(hand .. "?raised=false")
  assert(answer.body.raised == false and answer.body.position == nil)
  ann:receives("hand-raise", { raised = false })
  assert(bob:requests(queue).body.count == 0)
end)

sig.test("who has no token, is not in the room or asks nonsense is told so", function(t)
  local ann = scene.call(t, "ann")
  assert(t:request(hand).status == 401 and t:request(queue).status == 401)
  assert(t:client("eve"):requests(hand).status == 403)
  assert(ann:requests(hand .. "?raised=perhaps").status == 422)
end)
