-- Types that only the server sends: a client is refused by either name of them, and nobody hears it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.permissions", "std.participants" }
sig.use { "std.room_settings", "std.hand_raise", "std.waiting_room", "std.breakout", "std.live_stream" }

sig.test("who is here, and who comes and goes", function(t)
  scene.only_the_server_says(t, "user-joined", "user-left", "user-away", "user-back", "room-state", "peer-joined", "peer-left")
end)

sig.test("what belongs to a connection", function(t)
  scene.only_the_server_says(t, "error", "token-expiring", "token-refreshed", "ice-servers", "draining", "ack", "pong")
end)

sig.test("roles, permissions and settings", function(t)
  scene.only_the_server_says(t, "role-updated", "permission-updated", "participant-update", "room-settings-update")
end)

sig.test("queues and waiting rooms", function(t)
  scene.only_the_server_says(t, "hand-raise-queue", "waiting-room-admit", "waiting-room-reject")
end)

sig.test("breakout rooms and live streams", function(t)
  scene.only_the_server_says(t, "breakout-room-create", "breakout-room-assign", "breakout-room-close")
  scene.only_the_server_says(t, "live-stream-start", "live-stream-stop")
end)
