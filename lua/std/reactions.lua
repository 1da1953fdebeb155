-- Reactions that pass over the picture: one of eight, under a cleaned name. std.room_settings can switch them off.
local sig = require "lunasig"
local field = require "lunasig.field"
local text = require "lunasig.text"

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

sig.on("message:reaction", function(_, _, message)
  local name = message:get "username"
  local clean_name = text.name(name)
  if clean_name == name then return end
  local payload = message.payload
  payload.username = clean_name
  message:replace(payload)
end)
