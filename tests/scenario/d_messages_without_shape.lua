-- JSON that is no message: INVALID_MESSAGE, and the connection stays.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local function refused(t, frame, field)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends_raw(frame)
  assert(ann:is_refused("INVALID_MESSAGE").payload.details.field == field)
  bob:receives_nothing "chat-message"
  ann:sends("chat-message", { content = "still here" })
  bob:receives "chat-message"
end

sig.test("a message is an object", function(t)
  refused(t, "[]")
end)

sig.test("a message is no number", function(t)
  refused(t, "5")
end)

sig.test("it has a type", function(t)
  refused(t, '{"payload":{}}', "type")
end)

sig.test("its type is a text", function(t)
  refused(t, '{"type":7,"payload":{}}', "type")
end)

sig.test("it has a payload", function(t)
  refused(t, '{"type":"chat-message"}', "payload")
end)

sig.test("its payload is an object", function(t)
  refused(t, '{"type":"chat-message","payload":"hello"}', "payload")
end)

sig.test("its id is a positive integer", function(t)
  refused(t, '{"type":"chat-message","payload":{"content":"x"},"id":-1}', "id")
end)
