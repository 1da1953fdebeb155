-- Settings of a room. Its host changes them over HTTP, also while nobody is there, and all are told. They hold while a host or a
-- moderator is in the room, so that an empty room locks nobody out. This policy looks after the door (locked, full, host not here, muted
-- on entry) and switches types off. enable_waiting_room is std.waiting_room's, allow_participants_rename that of std.participants. Use it
-- before the policies whose messages it switches off, so that they note nothing of what is refused.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local may = require "lunasig.may"

sig.policy { name = "std.room_settings", api = 1 }

local defaults = {
  lock_room = false, enable_waiting_room = false, mute_on_entry = false, disable_video_on_entry = false,
  enable_chat = true, enable_screen_share = true, enable_reactions = true, enable_file_sharing = true, enable_recording = true,
  max_participants = sig.null, require_host_to_start = false,
  allow_participants_rename = true, allow_participants_unmute = true,
}

local room_settings, listeners = {}, {}

-- Calls fn(room, user_id) when settings have changed.
function room_settings.on_change(fn)
  listeners[#listeners + 1] = fn
end

local shape = {}
for name in pairs(defaults) do
  shape[name] = sig.boolean { optional = true, null = true }
end
shape.max_participants = sig.integer { min = 0, max = 10000, optional = true, null = true } -- 0: as many as the server lets in

sig.room_state { said = sig.map { max = 20 } } -- by name: what the host has set

sig.type "room-settings-update" {
  from = "server",
  alias = "room_settings_update",
  payload = sig.object { settings = sig.object, updated_by = field.user, timestamp = field.timestamp },
}

-- All of them, those too that nobody has set.
local function all_of(room)
  local said, all = room.state.said:copy(), {}
  for name, default in pairs(defaults) do
    if said[name] == nil then all[name] = default else all[name] = said[name] end
  end
  if all.max_participants == 0 then all.max_participants = sig.null end
  return all
end

-- Which types a setting switches off, for everybody; what was begun before may be ended.
local switches = {
  ["chat-message"] = "enable_chat",
  ["screen-share-control"] = "enable_screen_share",
  ["reaction"] = "enable_reactions",
  ["file-share-offer"] = "enable_file_sharing",
  ["recording-control"] = "enable_recording",
}
local ends = { ["screen-share-control"] = { stop = true }, ["recording-control"] = { stop = true, pause = true } }

local function switched_off(setting)
  return sig.deny("PERMISSION_DENIED", "this is switched off in this room", { setting = setting })
end

for type, setting in pairs(switches) do
  sig.on("message:" .. type, { optional = true }, function(room, _, message)
    if may.setting(room, setting) ~= false then return end
    if not (ends[type] and ends[type][message:get "action"]) then return switched_off(setting) end
  end)
end

sig.on("message:media-control", { optional = true }, function(room, member, message)
  local action, screen = message:get "action", message:get "media_type" == "screen-share"
  if screen and action == "video_on" and may.setting(room, "enable_screen_share") == false then
    return switched_off "enable_screen_share"
  elseif action == "unmute" and not may.lead(room, member.id) and may.setting(room, "allow_participants_unmute") == false then
    return switched_off "allow_participants_unmute"
  end
end)

sig.on("join", function(room, member)
  local said = room.state.said
  if said:count() == 0 or not may.led(room) or may.lead(room, member.id) then return end
  if said:get "lock_room" then return sig.deny("ROOM_LOCKED", "this room is locked; ask its host") end
  if said:get "require_host_to_start" and not room:oldest { role = { "host", "moderator" } } then
    return sig.deny("HOST_NOT_HERE", "the host has lost his connection; come again soon", { retry_after = 10 })
  end
  local max = said:get "max_participants" or 0
  if max > 0 then sig.seat { max = max } end
  -- The server has no hand on microphones and cameras: he finds himself muted in the participants of his room-state, as all others do.
  if said:get "mute_on_entry" then member.attr.audio_enabled = false end
  if said:get "disable_video_on_entry" then member.attr.video_enabled = false end
end)

sig.route("GET /webrtc/rooms/:room/settings", {}, function(_, room)
  return 200, { room_id = room.id, settings = all_of(room) }
end)

-- What is sent changes, the rest stays; what is no setting is passed over. A limit of null is none; any other null changes nothing.
local function change(said, request)
  for name in pairs(defaults) do
    if request.body[name] ~= nil then said:set(name, request.body[name]) end
  end
  if request:is_null "max_participants" then said:remove "max_participants" end
end

local options = { roles = "host", body = sig.object(shape, { extra = true }), rate = "20/s burst 100 per user" }

sig.route("POST /webrtc/rooms/:room/settings", options, function(request, room)
  change(room.state.said, request)
  local settings = all_of(room)
  room:send("room-settings-update", { settings = settings, updated_by = request.user, timestamp = clock.stamp() })
  for _, changed in ipairs(listeners) do
    changed(room, request.user)
  end
  return 200, { success = true, room_id = room.id, settings = settings }
end)

return room_settings
