-- Reactions that pass over the picture.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.reactions", api = 1 }

sig.type "reaction" {
  absent = "broadcast",
  payload = sig.object {
    user_id = field.user,
    username = field.text,
    reaction_type = sig.string {
      one_of = { "thumbs_up", "thumbs_down", "clap", "heart", "laugh", "surprised", "thinking", "celebrate" },
    },
    timestamp = field.timestamp,
  },
}
