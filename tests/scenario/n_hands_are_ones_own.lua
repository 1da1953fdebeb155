-- Whose hand is up is seen by who comes later; nobody raises the hand of another, and a payload without one changes nothing.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.hand_raise" }

sig.test("who comes later sees whose hand is up", function(t)
  local _, bob = scene.call(t, "ann", "bob")
  bob:sends("hand-raise", { raised = true })
  bob:receives "hand-raise-queue"
  local seen = t:client("max"):joins("r1").payload.participants[2]
  assert(seen.user_id == "bob" and seen.attr.hand_raised == true and seen.attr.hand_raised_at:find "^%d+%-%d%d%-%d%dT")
  bob:sends("hand-raise", { raised = false })
  assert(t:room("r1").members[2].attr.hand_raised == nil)
end)

sig.test("nobody raises the hand of another", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("hand-raise", { raised = true, user_id = "ann", username = "<b>Ann</b>" })
  ann:receives { type = "hand-raise", sender_id = "bob", payload = { username = "Ann" } }
  assert(t:state("r1", "std.hand_raise").hands.bob)
end)

sig.test("a payload without a hand changes nothing", function(t)
  local ann, old = t:client "ann", t:client { user = "old", dialect = "compat" }
  ann:joins "r1"
  old:joins "r1"
  old:sends("hand_raise", { user_id = "old" })
  ann:receives { type = "hand-raise", sender_id = "old" }
  ann:receives_nothing "hand-raise-queue"
end)
