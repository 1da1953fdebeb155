-- Fields that many payloads share. Clients of the original service send null, or a number where a text is meant: they are not refused
-- for it (`compat`); clients that speak lunasig.v1 are held to the shape. A target (target_user_id and its other names) may stand in
-- every payload without being listed.
local sig = require "lunasig"

local field = {
  id = sig.string { min = 1, max = 256, compat = "number" },
  text = sig.string { max = 4096, optional = true },
  number = sig.number { optional = true },
  boolean = sig.boolean { optional = true },
  timestamp = sig.string { max = 64, optional = true, compat = "number" },
}
field.user = field.id { optional = true } -- the server itself says who sent a message; this one is not believed
field.optional_id = field.user

return field
