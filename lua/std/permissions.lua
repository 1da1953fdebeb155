-- Permissions: hosts and moderators give them to somebody, or take them away, over HTTP. What a role may do by itself is said in
-- lunasig/may.lua. A message whose sender lacks the permission is refused, and routes ask for the same. Permissions are remembered when
-- their owner leaves. Use this policy before those whose messages it decides about, so that they note nothing of what is refused.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local may = require "lunasig.may"

sig.policy { name = "std.permissions", api = 1 }

local known_max = 200 -- users of a room about whom something was said

local names, shape, strict = {}, {}, {}
for name in pairs(may.permissions) do
  names[#names + 1] = name
  shape[name] = field.boolean
  strict[name] = sig.boolean { optional = true, null = true }
end

sig.room_state { said = sig.map { max = known_max, value = sig.object(shape) } } -- by user: only what was given or taken

sig.type "permission-updated" {
  from = "server",
  alias = "permission_updated",
  payload = sig.object {
    user_id = field.id,
    permissions = sig.object(shape),
    updated_by = field.user,
    timestamp = field.timestamp,
  },
}

-- Which permission a message of these types needs; a function looks into the message. recording-control is not among them: std.recording
-- asks for can_record itself, and lets everybody stop his own.
local needed = {
  ["chat-message"] = "can_send_chat",
  ["file-share-offer"] = "can_share_files",
  ["screen-share-control"] = function(message)
    return message:get "action" ~= "stop" and "can_share_screen"
  end,
  ["media-control"] = function(message)
    local action, screen = message:get "action", message:get "media_type" == "screen-share"
    if action ~= "unmute" and action ~= "video_on" then return end
    if screen then return "can_share_screen" end
    return action == "unmute" and "can_speak" or "can_share_video"
  end,
}

for name, needs in pairs(needed) do
  sig.on("message:" .. name, { optional = true }, function(room, member, message)
    local permission = needs
    if type(needs) == "function" then permission = needs(message) end
    if permission and not may.permission(room, member.id, permission) then
      return sig.deny("PERMISSION_DENIED", "you may not do this here", { permission = permission, type = name })
    end
  end)
end

-- All seven, as they are now.
local function of(room, user)
  local all = {}
  for _, name in ipairs(names) do
    all[name] = may.permission(room, user, name)
  end
  return all
end

sig.route("GET /webrtc/rooms/:room/permissions/:user", {}, function(request, room)
  local user = request.params.user
  if not room:role_of(user) then return 404, { detail = "Not Found" } end
  local answer = of(room, user)
  answer.user_id, answer.permissions = user, of(room, user)
  return 200, answer
end)

-- Why this change is not his to make; nil: it is.
local function refusal(room, by, user, change)
  if not may.manage_whom(room, by, user) then return "Nobody decides about who stands above him" end
  for name, value in pairs(change) do
    if value and not may.permission(room, by, name) then return "Nobody gives what he does not have himself: " .. name end
  end
end

-- What is no permission is passed over, so that an answer can be sent back changed.
local options = { body = sig.object(strict, { extra = true }), rate = "20/s burst 100 per user" }

sig.route("POST /webrtc/rooms/:room/permissions/:user", options, function(request, room)
  local user, by, change, known = request.params.user, request.user, {}, room.state.said
  for _, name in ipairs(names) do
    change[name] = request.body[name]
  end
  if not may.manage(room, by) then return 403, { detail = "Only hosts and moderators give and take permissions" } end
  if not room:role_of(user) then return 404, { detail = "Not Found" } end
  local why = refusal(room, by, user, change)
  if why then return 403, { detail = why } end
  if known:count() >= known_max and not known:has(user) then known:remove(known:keys()[1]) end
  local said = known:get(user) or {}
  for name, value in pairs(change) do
    said[name] = value
  end
  known:set(user, said)
  local now = of(room, user)
  room:send("permission-updated", { user_id = user, permissions = now, updated_by = by, timestamp = clock.stamp() })
  return 200, { success = true, user_id = user, permissions = now }
end)
