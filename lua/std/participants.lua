-- Who is in a room, over HTTP, and what somebody says about himself. That goes into member.attr, which everybody finds in the participants
-- of room-state, and which std.media, std.hand_raise and others write too. He changes only what is his own, and only what his permissions
-- and the settings of the room let him.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local may = require "lunasig.may"
local text = require "lunasig.text"

sig.policy { name = "std.participants", api = 1 }

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

local function plain(member)
  return { user_id = member.id, username = member.username, role = member.role, joined_at = clock.stamp(member.joined_at) }
end

local function enhanced(member)
  local participant = { audio_enabled = true, video_enabled = true, screen_sharing = false, hand_raised = false, is_speaking = false }
  for _, properties in ipairs { plain(member), sig.copy(member.attr) } do
    for name, value in pairs(properties) do
      participant[name] = value
    end
  end
  return participant
end

local function list(room, of)
  local participants = sig.json.array {}
  for i, member in ipairs(room:members()) do
    participants[i] = of(member)
  end
  return 200, { room_id = room.id, participants = participants, participant_count = #participants }
end

sig.route("GET /webrtc/rooms/:room/participants", {}, function(_, room)
  return list(room, plain)
end)

sig.route("GET /webrtc/rooms/:room/participants/enhanced", {}, function(_, room)
  return list(room, enhanced)
end)

local flag = sig.boolean { optional = true, null = true }

local info = sig.object({
  username = sig.string { max = 128, optional = true, null = true },
  audio_enabled = flag,
  video_enabled = flag,
  is_speaking = flag,
  connection_quality = sig.string { one_of = { "excellent", "good", "fair", "poor" }, optional = true, null = true },
}, { extra = true }) -- what is more is passed over: shared screens and raised hands have policies of their own

local function refusal(room, member, said)
  if may.waits(room, member.id) then return "You have not been let in yet" end
  if said.username and member.role ~= "host" and may.setting(room, "allow_participants_rename") == false then
    return "Names stay as they are in this room"
  end
  if said.audio_enabled and not may.unmute(room, member.id) then return "You may not unmute yourself" end
  if said.video_enabled and not may.permission(room, member.id, "can_share_video") then return "You may not show your picture" end
end

local options = { body = info, rate = "20/s burst 100 per user" }

sig.route("POST /webrtc/rooms/:room/participants/:user/info", options, function(request, room)
  local user, said = request.params.user, request.body
  if user ~= request.user then return 403, { detail = "Only your own" } end
  local member = room:member(user)
  if not member then return 404, { detail = "Not Found" } end
  local why = refusal(room, member, said)
  if why then return 403, { detail = why } end
  for _, name in ipairs { "audio_enabled", "video_enabled", "is_speaking", "connection_quality" } do
    if said[name] ~= nil then member.attr[name] = said[name] end
  end
  if said.username then member.attr.username = text.name(said.username) end
  local now = enhanced(member)
  room:send("participant-update", { participant = now, timestamp = clock.stamp() })
  return 200, { success = true, user_id = user, info = now }
end)
