-- Each test may have a server with settings of its own.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

sig.test("fewer bad frames", { settings = { WEBSOCKET_BAD_FRAMES = "2" } }, function(t)
  local ann = scene.call(t, "ann")
  ann:sends_raw "x"
  ann:sends_raw "y"
  ann:is_closed(1008)
end)

sig.test("another rate of messages, and none", { settings = { WEBSOCKET_MESSAGE_RATE_LIMIT = "1/s burst 2" } }, function(t)
  local ann = scene.call(t, "ann")
  for _ = 1, 3 do
    ann:sends("chat-message", { content = "x" })
  end
  assert(ann:is_refused("RATE_LIMIT_EXCEEDED").payload.details.burst == 2)
end)

sig.test("0 switches a limit off", { settings = { WEBSOCKET_MESSAGE_RATE_LIMIT = "0", WEBSOCKET_CONNECTION_LIMIT = "0" } }, function(t)
  local ann = scene.call(t, "ann")
  for _ = 1, 7 do
    t:client("ann"):joins "r1"
  end
  for _ = 1, 500 do
    ann:sends("chat-message", { content = "x" })
  end
  ann:receives_nothing "error"
end)

sig.test("smaller rooms", { settings = { WEBRTC_MAX_PARTICIPANTS_PER_ROOM = "1" } }, function(t)
  scene.call(t, "ann")
  local bob = t:client "bob"
  bob:joins "r1"
  assert(bob:is_refused("ROOM_FULL").payload.details.limit == 1)
end)

sig.test("shorter frames", { settings = { WEBSOCKET_FRAME_BYTES = "1 KiB" } }, function(t)
  local ann = scene.call(t, "ann")
  ann:sends("chat-message", { content = ("x"):rep(1024) })
  ann:is_closed(1009)
end)

sig.test("no resuming: who is lost has left", { settings = { RESUME_WINDOW_S = "0" } }, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:drops()
  ann:receives("user-left", { user_id = "bob", reason = "timeout" })
end)

sig.test("less is kept for those who are away", { settings = { RESUME_FRAMES = "2" } }, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:drops()
  for _ = 1, 3 do
    ann:sends("chat-message", { content = "x" })
  end
  assert(bob:resumes().payload.resumed == false)
end)
