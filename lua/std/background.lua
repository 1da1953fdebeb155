-- Virtual backgrounds: what others should know of one's picture. An address that no browser would load as a picture is refused. Who comes
-- later finds the last one of each in his room-state.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.background", api = 1 }

local url_max = 2048 -- bytes
local schemes = { https = true, http = true, blob = true } -- what a browser loads as a picture, and never runs

sig.type "virtual-background-update" {
  absent = "broadcast",
  alias = "virtual_background_update",
  keep = "latest per user",
  payload = sig.object {
    user_id = field.user,
    background_type = sig.string { one_of = { "none", "blur", "image", "video" } },
    background_url = field.text,
    blur_intensity = field.number,
    timestamp = field.timestamp,
  },
}

-- nil: it may be shown. A path on the client's own site passes; of data: addresses only pictures do.
local function problem(url)
  if type(url) ~= "string" or url == "" then return nil end
  if #url > url_max then return ("background_url has at most %d bytes"):format(url_max) end
  if url:find "[%c%s\"'<>\\]" then return "background_url has no blanks, quotes or control characters" end
  local scheme = url:match "^([%w+.-]*):"
  if not scheme or schemes[scheme:lower()] or url:lower():find "^data:image/[%w.-]+[;,]" and not url:lower():find "^data:image/svg" then
    return nil
  end
  return "background_url is an address of a picture: https, http, blob or data:image"
end

sig.on("message:virtual-background-update", function(_, _, message)
  local why = problem(message:get "background_url")
  if why then return sig.deny("INVALID_MESSAGE", why, { field = "payload.background_url" }) end
end)
