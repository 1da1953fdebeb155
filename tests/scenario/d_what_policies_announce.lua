-- What a policy sends in the server's name reaches clients as every announcement does: without a sender, to whom the policy says.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.permissions", "std.participants" }
sig.use { "std.room_settings", "std.hand_raise", "std.waiting_room", "std.breakout", "std.live_stream" }

sig.type "announce" { payload = sig.object { what = sig.string, payload = sig.object, to = sig.string { optional = true } } }
sig.on("message:announce", function(room, _, message)
  local order = message.payload
  local receiver = order.to and room:member(order.to) or room
  receiver:send(order.what, order.payload)
  return sig.handled()
end)

local announcements = {
  { "permission-updated", { user_id = "bob", permissions = { can_speak = false }, updated_by = "ann" } },
  { "participant-update", { participant = { user_id = "bob", is_speaking = true } } },
  { "room-settings-update", { settings = { lock_room = true }, updated_by = "ann" } },
  { "hand-raise-queue", { queue = { { user_id = "bob", position = 1 } } } },
  { "waiting-room-admit", { user_id = "bob", actioned_by = "ann" } },
  { "waiting-room-reject", { user_id = "bob", actioned_by = "ann" } },
  { "breakout-room-create", { config = { name = "group 1" }, created_by = "ann" } },
  { "breakout-room-assign", { user_id = "bob", breakout_room_id = "b1", assigned_by = "ann" } },
  { "breakout-room-close", { breakout_room_id = "b1", closed_by = "ann" } },
  { "live-stream-start", { config = { platform = "somewhere" }, started_by = "ann" } },
  { "live-stream-stop", { stream_id = "s1", stopped_by = "ann", duration_seconds = 60 } },
}

sig.test("to all in the room, the one who asked for it too", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, announcement in ipairs(announcements) do
    local type, payload = announcement[1], announcement[2]
    ann:sends("announce", { what = type, payload = payload })
    assert(bob:receives { type = type, payload = t.exactly(payload), room_id = "r1" }.sender_id == nil)
    ann:receives(type)
  end
end)

sig.test("to one alone", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  for _, announcement in ipairs(announcements) do
    ann:sends("announce", { what = announcement[1], payload = announcement[2], to = "bob" })
    bob:receives(announcement[1])
  end
  eve:receives_nothing()
  ann:receives_nothing()
end)
