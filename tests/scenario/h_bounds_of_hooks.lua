-- A hook that takes too long, waits too long or asks for too much is stopped, and the message is refused; nobody else notices.
local sig = require "lunasig"
local scene = require "scene"
sig.policy { name = "greedy", api = 1 }
sig.use { "std.presence", "std.chat" }
sig.limits { cpu_ms = 10, wait_ms = 500 }
sig.type "spins" {}
sig.type "sleeps" {}
sig.type "shouts" {}
sig.on("message:spins", function()
  while true do end
end)
sig.on("message:sleeps", function()
  sig.sleep "2s"
end)
sig.on("message:shouts", function(room)
  for i = 1, 2000 do
    room:send("shout", { i = i })
  end
end)

local function stopped(t, type, error)
  t:expects_error(error)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends(type, {})
  assert(ann:is_refused("POLICY_ERROR").payload.details.policy == "greedy")
  bob:receives_nothing()
  ann:sends("chat-message", { content = "life goes on" })
  bob:receives("chat-message", { content = "life goes on" })
end

sig.test("a hook has its processor time", function(t)
  stopped(t, "spins", "stopped after 10 ms of processor time")
end)

sig.test("a hook has its time to wait", function(t)
  stopped(t, "sleeps", "a hook may wait 500 ms in all")
end)

sig.test("a hook has its number of effects, and none is done when it asks for more", function(t)
  stopped(t, "shouts", "POLICY_EFFECTS_MAX")
end)
