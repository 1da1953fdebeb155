-- Roles and permissions: announced by the server when they change.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.roles", api = 1 }

sig.type "role-updated" {
  from = "server",
  alias = "role_updated",
  payload = sig.object {
    user_id = field.id,
    role = sig.string { one_of = { "host", "moderator", "participant", "observer" } },
    updated_by = field.user,
    timestamp = field.timestamp,
  },
}

sig.type "permission-updated" {
  from = "server",
  alias = "permission_updated",
  payload = sig.object {
    user_id = field.id,
    permissions = sig.object {
      can_speak = field.boolean,
      can_share_video = field.boolean,
      can_share_screen = field.boolean,
      can_send_chat = field.boolean,
      can_share_files = field.boolean,
      can_manage_participants = field.boolean,
      can_record = field.boolean,
    },
    updated_by = field.user,
    timestamp = field.timestamp,
  },
}

sig.type "participant-update" {
  from = "server",
  alias = "participant_update",
  payload = sig.object {
    participant = sig.object({
      user_id = field.id,
      username = field.text,
      role = field.text,
      audio_enabled = field.boolean,
      video_enabled = field.boolean,
      screen_sharing = field.boolean,
      hand_raised = field.boolean,
      hand_raised_at = field.timestamp,
      joined_at = field.timestamp,
      connection_quality = field.text,
      is_speaking = field.boolean,
    }, { extra = true }),
    timestamp = field.timestamp,
  },
}
