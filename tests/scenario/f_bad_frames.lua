-- The tenth bad frame within a minute closes with 1008 (WEBSOCKET_BAD_FRAMES): no JSON, no shape, unknown or forbidden types.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat", "std.e2ee" }

local function nine_bad_ones(client)
  for _ = 1, 3 do
    client:sends_raw "nonsense"
    client:sends("telepathy", {})
    client:sends("user-left", {})
  end
end

sig.test("the tenth bad frame of a minute closes, and he has left", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  nine_bad_ones(ann)
  ann:sends("chat-message", { content = 5 })
  ann:is_refused "INVALID_MESSAGE"
  ann:is_closed(1008)
  bob:receives("user-left", { user_id = "ann", reason = "closed" })
end)

sig.test("nine of them, and nine more after a minute, do not", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  nine_bad_ones(ann)
  t:advance "60s"
  nine_bad_ones(ann)
  ann:sends("chat-message", { content = "sorry" })
  bob:receives("chat-message", { content = "sorry" })
end)

sig.test("messages that somebody else makes impossible do not count", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _ = 1, 20 do
    ann:sends("chat-message", { content = "hello?" }, "nobody")
    ann:is_refused "TARGET_NOT_FOUND"
  end
  ann:sends("chat-message", { content = "hello" })
  bob:receives "chat-message"
end)
