-- A policy that counts what is said, for scenarios with several policies.
local sig = require "lunasig"

sig.policy { name = "scene_counter", api = 1 }
sig.use "std.chat"
sig.room_state { seen = sig.counter {} }

sig.on("message:chat-message", function(room, _, message)
  room.state.seen:incr()
  message:replace { content = message.payload.content .. " first " .. room.state.seen:get() }
end)
