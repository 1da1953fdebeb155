-- Virtual backgrounds: what others should know of one's picture.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.background", api = 1 }

sig.type "virtual-background-update" {
  absent = "broadcast",
  alias = "virtual_background_update",
  payload = sig.object {
    user_id = field.user,
    background_type = sig.string { one_of = { "none", "blur", "image", "video" } },
    background_url = field.text,
    blur_intensity = field.number,
    timestamp = field.timestamp,
  },
}
