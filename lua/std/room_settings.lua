-- Settings of a room: the host changes them over HTTP, all are told, and they hold as long as a host or a moderator is in the room, so that
-- an empty room locks nobody out. allow_participants_rename is asked by std.participants, enable_waiting_room by std.waiting_room.
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
  shape[name] = sig.boolean { optional = true }
end
shape.max_participants = sig.integer { min = 0, max = 10000, optional = true } -- 0: as many as the server lets in

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

-- Which types a setting switches off, for everybody.
local switches = {
  ["chat-message"] = "enable_chat",
  ["screen-share-control"] = "enable_screen_share",
  ["reaction"] = "enable_reactions",
  ["file-share-offer"] = "enable_file_sharing",
  ["recording-control"] = "enable_recording",
}
local always = { stop = true } -- what was begun before may be ended

local function switched_off(setting)
  return sig.deny("PERMISSION_DENIED", "this is switched off in this room", { setting = setting })
end

sig.on("message", function(room, member, message)
  local type = message.type
  local switch = switches[type]
  if switch then
    if may.setting(room, switch) == false and not always[message:get "action"] then return switched_off(switch) end
  elseif type == "media-control" and not may.lead(room, member.id) then
    local action = message:get "action"
    if action == "unmute" and may.setting(room, "allow_participants_unmute") == false then
      return switched_off "allow_participants_unmute"
    elseif message:get "media_type" == "screen-share" and action == "video_on" and may.setting(room, "enable_screen_share") == false then
      return switched_off "enable_screen_share"
    end
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
  if said:get "mute_on_entry" then member.attr.audio_enabled = false end
  if said:get "disable_video_on_entry" then member.attr.video_enabled = false end
end)

-- Who is to come in silent is told so: the server itself has no hand on his microphone.
sig.on("joined", function(room, member)
  local entry = {}
  for _, name in ipairs { "mute_on_entry", "disable_video_on_entry" } do
    if may.setting(room, name) then entry[name] = true end
  end
  if next(entry) and not may.lead(room, member.id) then
    member:send("room-settings-update", { settings = entry, timestamp = clock.stamp() })
  end
end)

sig.route("GET /webrtc/rooms/:room/settings", {}, function(_, room)
  return 200, { room_id = room.id, settings = all_of(room) }
end)

local options = { roles = "host", body = sig.object(shape), rate = "20/s burst 100 per user" }

sig.route("POST /webrtc/rooms/:room/settings", options, function(request, room)
  for name, value in pairs(request.body) do
    room.state.said:set(name, value)
  end
  local settings = all_of(room)
  room:send("room-settings-update", { settings = settings, updated_by = request.user, timestamp = clock.stamp() })
  for _, changed in ipairs(listeners) do
    changed(room, request.user)
  end
  return 200, { success = true, room_id = room.id, settings = settings }
end)

return room_settings
