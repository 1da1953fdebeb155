-- What a policy counts and logs, and what the server counts of it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local said = sig.metric.counter { name = "words_said", help = "Words that were said in chat.", labels = { "room" } }
sig.on("message:chat-message", function(room, member, message)
  local _, words = message.payload.content:gsub("%S+", "")
  said:add(words, { room = room.id })
  if words > 5 then sig.log("warning", "many words", { user = member.id, words = words }) end
end)

sig.test("a policy counts, by its labels", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("chat-message", { content = "one two three" })
  ann:sends("chat-message", { content = "four" })
  t:expects_metric("words_said", 4, { room = "r1" })
end)

sig.test("a policy logs", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("chat-message", { content = "one two three" })
  t:logged_nothing { event = "policy-log" }
  ann:sends("chat-message", { content = "a b c d e f g" })
  t:logged { event = "policy-log", text = "many words" }
end)

sig.test("the server counts what it refuses, by its code", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("telepathy", {})
  ann:is_refused "UNKNOWN_TYPE"
  t:expects_metric("lunasig_refused_total", 1, { code = "UNKNOWN_TYPE" })
end)

sig.test("the server counts joins and messages", function(t)
  local ann = scene.call(t, "ann", "bob")
  ann:sends("chat-message", { content = "x" })
  t:expects_metric("lunasig_joins_total", 2)
  t:expects_metric("lunasig_messages_relayed_total", 1)
end)
