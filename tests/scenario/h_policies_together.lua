-- Several policies in one room: hooks in the order of `sig.use`, each with its own state, which others may read and change.
local sig = require "lunasig"
local scene = require "scene"
sig.policy { name = "second", api = 1 }
sig.use { "std.presence", "std.chat" }
sig.use { "scene_counter" }
sig.room_state { seen = sig.counter {} }

sig.on("message:chat-message", function(room, _, message)
  room.state.seen:incr()
  local other = room:state_of "scene_counter"
  message:replace { content = message.payload.content .. " second " .. other.seen:get() }
  if message.payload.content:find "reset" then other.seen = 0 end
end)

sig.test("hooks run in the order in which their policies are used", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("chat-message", { content = "hello" })
  bob:receives("chat-message", { content = "hello first 1 second 1" })
end)

sig.test("each policy has its own state under the same names", function(t)
  local ann = scene.call(t, "ann")
  for _ = 1, 3 do
    ann:sends("chat-message", { content = "x" })
  end
  ann:sends("chat-message", { content = "reset" })
  assert(t:state("r1").seen == 4 and t:state("r1", "scene_counter").seen == 0)
end)

sig.test("what is one policy's room state is no other's: an unknown policy is an error", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("chat-message", { content = "x" })
  assert(t:state("r1", "second").seen == 1)
end)
