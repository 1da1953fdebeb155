-- A policy may let clients send what else only the server says about roles; then these payloads are checked.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.permissions", "std.participants", "std.room_settings" }
scene.opens(sig, "role-updated", "permission-updated", "participant-update", "room-settings-update")

local when = "2026-01-05T12:00:00Z"

sig.test("a role is one of four", function(t)
  local full = { user_id = "bob", role = "host", updated_by = "ann", timestamp = when }
  scene.checks_payload(t, "role-updated", full, { user_id = "bob", role = "observer" }, {
    { "user_id" },
    { "user_id", 5 },
    { "role" },
    { "role", "king" },
    { "updated_by", 5 },
    { "timestamp", 5 },
  })
end)

sig.test("a permission is given or not", function(t)
  local names = { "can_speak", "can_share_video", "can_share_screen", "can_send_chat", "can_share_files", "can_record" }
  names[#names + 1] = "can_manage_participants"
  local all, wrong = {}, { { "user_id" }, { "user_id", 5 }, { "permissions" }, { "updated_by", 5 }, { "timestamp", 5 } }
  for i, name in ipairs(names) do
    all[name] = i % 2 == 0
    wrong[#wrong + 1] = { "permissions", { [name] = "yes" }, "payload.permissions." .. name }
  end
  local full = { user_id = "bob", permissions = all, updated_by = "ann", timestamp = when }
  scene.checks_payload(t, "permission-updated", full, { user_id = "bob", permissions = {} }, wrong)
end)

sig.test("a participant has a name, and more", function(t)
  local types = {
    user_id = "bob", username = "Bob", role = "host", audio_enabled = true, video_enabled = true, screen_sharing = false,
    hand_raised = false, hand_raised_at = when, joined_at = when, connection_quality = "good", is_speaking = true,
  }
  local wrong = { { "participant" }, { "participant", {}, "payload.participant.user_id" }, { "timestamp", 5 } }
  for name in pairs(types) do
    wrong[#wrong + 1] = { "participant", { user_id = "bob", [name] = 5 }, "payload.participant." .. name }
  end
  local more = { user_id = "bob", seat = 7 }
  scene.checks_payload(t, "participant-update", { participant = types, timestamp = when }, { participant = more }, wrong)
end)

sig.test("settings are an object", function(t)
  local full = { settings = { lock_room = true }, updated_by = "ann", timestamp = when }
  scene.checks_payload(t, "room-settings-update", full, { settings = {} }, {
    { "settings" },
    { "settings", "locked" },
    { "updated_by", 5 },
    { "timestamp", 5 },
  })
end)
