-- Recordings over HTTP, on the state of std.recording. The original service has two families of paths for the same; both are here. To start
-- one takes can_record and enable_recording, to change one that is somebody else's takes can_record.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local answer = require "lunasig.answer"
local may = require "lunasig.may"
local pages = require "lunasig.pages"

sig.policy { name = "std.recording_routes", api = 1 }
sig.use "std.recording"
local recording = require "std.recording"
local refused = answer.refused

local function keys_of(set)
  local list = {}
  for key in pairs(set) do
    list[#list + 1] = key
  end
  table.sort(list)
  return list
end

-- Says it to the room, as the message of a member would, and keeps it before the answer goes out.
local function tell(room, user_id, action, entry)
  local order = { action = action, recording_id = entry.recording_id, user_id = user_id, timestamp = clock.stamp() }
  room:send("recording-control", order, { from = room:member(user_id) })
  recording.tell(room, entry, true)
end

local function start(request, room, id)
  if not may.start_recording(room, request.user) then return refused(403, "You may not record in this room") end
  local options = { format = request.query.recording_format, quality = request.query.quality }
  local entry, code, why = recording.start(room, request.user, id, options)
  if not entry and code == "INVALID_MESSAGE" then return answer.invalid("recording_id", why, code) end
  if not entry then return refused(409, why, code) end
  tell(room, request.user, "start", entry)
  return entry
end

-- The one of the path, changed. Stopping one that is not there is no mistake: it has stopped.
local function change(request, room, action)
  local id = request.params.id
  local entry = recording.find(room, id)
  if not entry then return nil end
  if entry.user_id ~= request.user and not may.record(room, request.user) then
    return refused(403, "This recording is not yours")
  end
  entry = recording.change(room, id, action)
  tell(room, request.user, action == "cancel" and "stop" or action, entry)
  return entry
end

sig.route("POST /webrtc/rooms/:room/recordings/start", { query = { recording_id = sig.string { min = 1, max = 100 } } },
  function(request, room)
    local entry, refusal = start(request, room, request.query.recording_id)
    if refusal then return entry, refusal end
    return 200, { success = true, recording_id = entry.recording_id, status = entry.status }
  end)

sig.route("POST /webrtc/rooms/:room/recordings/:id/stop", {}, function(request, room)
  local entry, refusal = change(request, room, "stop")
  if refusal then return entry, refusal end
  return 200, { success = true, recording_id = request.params.id, status = "stopped" }
end)

sig.route("GET /webrtc/rooms/:room/recordings", {}, function(_, room)
  local list = recording.list(room)
  return 200, { room_id = room.id, active_recordings = list, recordings = list, count = #list }
end)

local how = {
  recording_format = sig.string { one_of = keys_of(recording.formats), optional = true },
  quality = sig.string { one_of = keys_of(recording.qualities), optional = true },
}

sig.route("POST /webrtc/rooms/:room/recording/start", { query = how }, function(request, room)
  local entry, refusal = start(request, room, sig.random.id())
  if refusal then return entry, refusal end
  return 200, entry
end)

for _, action in ipairs { "stop", "pause", "resume" } do
  sig.route("POST /webrtc/rooms/:room/recording/:id/" .. action, {}, function(request, room)
    local entry, refusal = change(request, room, action)
    if refusal then return entry, refusal end
    if entry then return 200, entry end
    if action == "stop" then return 200, { recording_id = request.params.id, room_id = room.id, status = "stopped" } end
    return refused(404)
  end)
end

sig.route("DELETE /webrtc/rooms/:room/recording/:id", {}, function(request, room)
  local entry, refusal = change(request, room, "cancel")
  if refusal then return entry, refusal end
  if entry then return 200, entry end
  return refused(404)
end)

sig.route("GET /webrtc/rooms/:room/recording/:id/status", {}, function(request, room)
  local entry = recording.find(room, request.params.id)
  entry = entry or sig.store.recordings:get(request.user .. "/" .. request.params.id)
  if entry and entry.room_id == room.id then return 200, recording.shown(entry) end
  return refused(404)
end)

-- Those that the bearer has started, in any room, within a day.
sig.route("GET /webrtc/recordings", { query = { status = sig.string { optional = true } } }, function(request)
  local list = sig.json.array {}
  for _, entry in ipairs(pages.all(sig.store.recordings, request.user .. "/")) do
    if entry.user_id == request.user and (request.query.status or entry.status) == entry.status then list[#list + 1] = entry end
  end
  return 200, { recordings = list, count = #list }
end)
