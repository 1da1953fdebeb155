-- Several connections of one compat user: signals go to the one that last spoke to their sender (`connection`), the rest to all.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.signaling", "std.presence", "std.chat" }

local function house(t)
  local old = t:client { user = "old", dialect = "compat" }
  local first, second = t:client { user = "eve", dialect = "compat" }, t:client { user = "eve", dialect = "compat" }
  old:joins "r1"
  first:joins "r1"
  second:joins "r1"
  return old, first, second
end

sig.test("an answer goes to the connection that sent the offer", function(t)
  local old, first, second = house(t)
  second:sends("offer", { sdp = scene.sdp, type = "offer" }, "old")
  old:receives "offer"
  old:sends("answer", { sdp = scene.sdp, type = "answer" }, "eve")
  old:sends("ice-candidate", { candidate = scene.candidate }, "eve")
  second:receives "answer"
  second:receives "ice-candidate"
  first:receives_nothing "answer"
  first:receives_nothing "ice-candidate"
end)

sig.test("while none has spoken to him, the newest hears his offer", function(t)
  local old, first, second = house(t)
  old:sends("offer", { sdp = scene.sdp, type = "offer" }, "eve")
  second:receives "offer"
  first:receives_nothing "offer"
end)

sig.test("chat goes to all of them", function(t)
  local old, first, second = house(t)
  second:sends("offer", { sdp = scene.sdp, type = "offer" }, "old")
  old:sends("chat-message", { content = "both" }, "eve")
  first:receives "chat-message"
  second:receives "chat-message"
end)
