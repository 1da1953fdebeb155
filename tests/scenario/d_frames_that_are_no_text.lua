-- What is no text ends the connection, without a word: 1003 for a binary frame, 1007 for one that is not UTF-8.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

sig.test("a binary frame closes with 1003, whatever is in it", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends_binary '{"type":"chat-message","payload":{"content":"hello"}}'
  bob:is_closed(1003)
  bob:receives_nothing "error"
  ann:receives("user-left", { user_id = "bob", reason = "closed" })
  ann:receives_nothing "chat-message"
end)

sig.test("a text that is not UTF-8 closes with 1007", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends_raw { hex = "22 ff 22" }
  bob:is_closed(1007)
  bob:receives_nothing "error"
  ann:receives("user-left", { user_id = "bob", reason = "closed" })
end)

sig.test("neither resumes", function(t)
  local _, bob = scene.call(t, "ann", "bob")
  bob:sends_binary { hex = "00 01 02" }
  bob:is_closed(1003)
  assert(bob:resumes().payload.resumed == false)
end)
