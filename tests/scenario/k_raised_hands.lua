-- hand-raise: everybody else is told whose hand is up.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.hand_raise" }

sig.test("a hand goes up and down", function(t)
  local full = { user_id = "ann", username = "Ann", raised = true, timestamp = "2026-01-05T12:00:00Z" }
  scene.checks_payload(t, "hand-raise", full, { raised = false }, {
    { "raised" },
    { "raised", "yes" },
    { "raised", 1 },
    { "user_id", 5 },
    { "username", 5 },
    { "timestamp", 5 },
    { "extra", true, "payload" },
  })
end)

sig.test("everybody else hears it, and whose it is the server says", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  bob:sends("hand_raise", { raised = true, user_id = "eve" })
  ann:receives { type = "hand-raise", sender_id = "bob" }
  eve:receives { type = "hand-raise", sender_id = "bob" }
  bob:receives_nothing "hand-raise"
end)
