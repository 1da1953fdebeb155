-- Recordings: which there are, and how they stand. The server records no media: a client does, and all are told of it. Who starts one, or
-- changes one of somebody else, needs can_record; it ends when who started it leaves. HTTP: std.recording_routes. The state has those that
-- have not ended; all are kept for a day in sig.store "recordings".
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local may = require "lunasig.may"

sig.policy { name = "std.recording", api = 1 }
sig.use "std.records"
local records = require "std.records"

local open_max = 10 -- of a room, at once
local id_max = 100 -- bytes of an id
local kept = "24h"

sig.room_state { open = sig.map { max = open_max } } -- by id

sig.type "recording-control" {
  absent = "broadcast",
  alias = "recording_control",
  payload = sig.object {
    action = sig.string { one_of = { "start", "stop", "pause", "resume" } },
    recording_id = field.id,
    user_id = field.user,
    format = field.text,
    quality = field.text,
    include_audio = field.boolean,
    include_video = field.boolean,
    timestamp = field.timestamp,
  },
}

sig.type "recording-status" {
  absent = "broadcast",
  alias = "recording_status",
  payload = sig.object {
    recording_id = field.id,
    status = sig.string { max = 64 },
    duration = field.number,
    file_size = field.number,
    timestamp = field.timestamp,
  },
}

local ended = { stop = "stopped", cancel = "cancelled" }
local actions = { stop = true, pause = true, resume = true } -- compat clients may say others

local recording = {
  formats = { webm = true, mp4 = true, mkv = true },
  qualities = { low = true, medium = true, high = true, ultra = true },
}

local function open_of(room)
  return room:state_of("std.recording").open
end

function recording.find(room, id)
  return type(id) == "string" and #id >= 1 and #id <= id_max and open_of(room):get(id) or nil
end

-- As others see it: with how long it has run until now.
function recording.shown(entry)
  if entry.running_since then
    entry.duration_seconds, entry.running_since = entry.duration_seconds + clock.since(entry.running_since), nil
  end
  return entry
end

function recording.list(room)
  local list = sig.json.array {}
  for _, entry in open_of(room):each() do
    list[#list + 1] = recording.shown(entry)
  end
  return list
end

-- A new one. nil, a code and why: it cannot be. Starting one that runs gives that one.
function recording.start(room, user_id, id, options)
  local open = open_of(room)
  if #id == 0 or #id > id_max then return nil, "INVALID_MESSAGE", ("a recording_id has 1 to %d bytes"):format(id_max) end
  if open:has(id) then return open:get(id) end
  if open:count() >= open_max then return nil, "TOO_MANY_RECORDINGS", ("%d recordings are running already"):format(open_max) end
  local entry = { recording_id = id, room_id = room.id, user_id = user_id, status = "recording", started_at = clock.stamp() }
  entry.format = recording.formats[options.format] and options.format or "webm"
  entry.quality = recording.qualities[options.quality] and options.quality or "medium"
  entry.duration_seconds, entry.running_since = 0, sig.now()
  open:set(id, entry)
  entry.running_since = nil -- as it is told first, no time has passed
  return entry
end

-- Stops, pauses, resumes or cancels one, and gives it as it stands then. nil: there is none of that id.
function recording.change(room, id, action)
  local open, entry = open_of(room), recording.find(room, id)
  if not entry then return nil end
  entry = recording.shown(entry)
  if action == "pause" then
    entry.status, entry.paused_at = "paused", clock.stamp()
  elseif action == "resume" then
    entry.status, entry.running_since = "recording", sig.now()
  else
    entry.status, entry.stopped_at = ended[action], clock.stamp()
  end
  open:set(id, entry.stopped_at == nil and entry or nil)
  return entry
end

-- Tells everybody how it stands, and keeps that: in hooks later, so that no message waits for the database; in routes now.
function recording.tell(room, entry, now)
  entry = recording.shown(entry)
  local status = { recording_id = entry.recording_id, status = entry.status, duration = entry.duration_seconds }
  room:send("recording-status", status)
  local key = entry.user_id .. "/" .. entry.recording_id
  if now then return records.now("recordings", key, entry, kept) end
  records.later(room, "recordings", key, entry, kept)
end

sig.on("message:recording-control", function(room, member, message)
  local action, id = message:get "action", message:get "recording_id"
  local entry = recording.find(room, id)
  if not (entry and entry.user_id == member.id) and not may.record(room, member.id) then
    return sig.deny("PERMISSION_DENIED", "you may not record here", { permission = "can_record" })
  end
  if type(id) ~= "string" or not action then return end -- compat clients may leave them out
  local code, why
  if action == "start" then
    entry, code, why = recording.start(room, member.id, id, message.payload)
    if not entry then return sig.deny(code, why) end
  else
    entry = actions[action] and recording.change(room, id, action)
  end
  if entry then recording.tell(room, entry) end
end)

sig.on("message:recording-status", function(room, member, message)
  local entry = recording.find(room, message:get "recording_id")
  if not (entry and entry.user_id == member.id) and not may.record(room, member.id) then
    return sig.deny("PERMISSION_DENIED", "only who records says how it stands", { permission = "can_record" })
  end
end)

sig.on("leave", function(room, member)
  for id, entry in open_of(room):each() do
    if entry.user_id == member.id then recording.tell(room, recording.change(room, id, "stop")) end
  end
end)

return recording
