-- Who does not read what is sent to him is closed when too much waits for him (4408), and may return; the others go on.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local small = { settings = { WEBSOCKET_OUTBOX_BYTES = "131072" } }
local long = ("x"):rep(8000)

sig.test("too much waits: it is closed, and the others go on", small, function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  bob:stalls()
  for _ = 1, 20 do
    ann:sends("chat-message", { content = long })
  end
  bob:is_closed(4408)
  t:logged "too-slow"
  eve:receives("user-away", { user_id = "bob" })
  ann:sends("chat-message", { content = "still here" })
  eve:receives("chat-message", { content = "still here" })
end)

sig.test("who reads again in time gets all of it, in order", small, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:stalls()
  for n = 1, 5 do
    ann:sends("chat-message", { content = tostring(n) })
  end
  bob:receives_nothing "chat-message"
  bob:reads()
  for n = 1, 5 do
    bob:receives("chat-message", { content = tostring(n) })
  end
  bob:receives_nothing "chat-message"
end)
