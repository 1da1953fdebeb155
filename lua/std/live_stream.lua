-- Live streams: which there are. Hosts and moderators start and stop them, over HTTP; all in the room are told. The stream key, and the
-- address that may have it in it, go into sig.store "live_stream_keys" and nowhere else: no message and no answer has them. What feeds
-- the stream reads them there, and finds nothing more when the stream has ended.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local may = require "lunasig.may"

sig.policy { name = "std.live_stream", api = 1 }

local streams_max = 5 -- of a room, at once
local key_max = 1024 -- bytes, of the key and of each address
local kept = "24h" -- should the server die meanwhile

local keys = sig.store "live_stream_keys" -- by stream_id

sig.room_state { streams = sig.map { max = streams_max } } -- by stream_id, without anything that is secret

sig.type "live-stream-start" {
  from = "server",
  alias = "live_stream_start",
  payload = sig.object { config = sig.object, started_by = field.id, timestamp = field.timestamp },
}

sig.type "live-stream-stop" {
  from = "server",
  alias = "live_stream_stop",
  payload = sig.object {
    stream_id = field.id,
    stopped_by = field.id,
    duration_seconds = sig.number { min = 0 },
    timestamp = field.timestamp,
  },
}

local word = sig.string { max = 128, optional = true, null = true }
local number = sig.number { min = 0, optional = true, null = true }

-- What may be shown; all else of a request is either secret or dropped.
local shown = { title = word, platform = word, quality = word, resolution = word, bitrate = number, frame_rate = number }
local secret = { "stream_key", "stream_url", "rtmp_url", "server_url" }

local body = {}
for name, schema in pairs(shown) do
  body[name] = schema
end

-- nil and why: these secrets cannot be kept apart from what is shown.
local function secrets_of(request)
  local found = {}
  for _, name in ipairs(secret) do
    local value = request[name]
    if value ~= nil and (type(value) ~= "string" or #value > key_max) then
      return nil, ("%s: a text of at most %d bytes"):format(name, key_max)
    end
    found[name] = value ~= "" and value or nil
  end
  for name in pairs(shown) do
    for _, value in pairs(found) do
      if type(request[name]) == "string" and request[name]:find(value, 1, true) then
        return nil, name .. ": all in the room see it, and it has the stream key or an address in it"
      end
    end
  end
  return found
end

local function stop(room, id, entry, by)
  local seconds = sig.now() - entry.started
  room.state.streams:remove(id)
  room:send("live-stream-stop", { stream_id = id, stopped_by = by, duration_seconds = seconds, timestamp = clock.stamp() })
  if not pcall(keys.remove, keys, id) then sig.log("warning", "a stream key was not removed: it ends within " .. kept) end
  return seconds
end

local function refused(status, why)
  return status, { detail = why }
end

local options = { body = sig.object(body, { extra = true }), rate = "2/s burst 10 per user" }

sig.route("POST /webrtc/rooms/:room/live-streams/start", options, function(request, room)
  local streams = room.state.streams
  if not may.manage(room, request.user) then return refused(403, "Only hosts and moderators start live streams") end
  if room.count == 0 then return refused(409, "There is nobody in the room") end
  if streams:count() >= streams_max then return refused(409, ("A room has at most %d live streams"):format(streams_max)) end
  local secrets, why = secrets_of(request.body)
  if not secrets then return 422, { detail = { { type = "value_error", loc = { "body" }, msg = why, input = sig.null } } } end
  local id = sig.random.id()
  local config = { stream_id = id }
  for name in pairs(shown) do
    config[name] = request.body[name]
  end
  streams:set(id, { config = config, started_by = request.user, started = sig.now() })
  secrets.room_id, secrets.started_by = room.id, request.user
  local stored = pcall(keys.put, keys, id, secrets, { ttl = kept })
  if not streams:has(id) then return refused(409, "The room was left meanwhile") end
  if not stored then
    streams:remove(id)
    return refused(503, "The stream key could not be stored")
  end
  room:send("live-stream-start", { config = config, started_by = request.user, timestamp = clock.stamp() })
  return 200, { success = true, stream_id = id, status = "live" }
end)

sig.route("POST /webrtc/rooms/:room/live-streams/:id/stop", {}, function(request, room)
  local id = request.params.id
  local entry = room.state.streams:get(id)
  if not may.manage(room, request.user) then return refused(403, "Only hosts and moderators stop live streams") end
  if not entry then return refused(404, "Not Found") end
  local seconds = stop(room, id, entry, request.user)
  return 200, { success = true, stream_id = id, status = "stopped", duration_seconds = seconds }
end)

sig.route("GET /webrtc/rooms/:room/live-streams", {}, function(_, room)
  local list = sig.json.array {}
  for id, entry in room.state.streams:each() do
    list[#list + 1] = {
      stream_id = id,
      config = entry.config,
      status = "live",
      started_by = entry.started_by,
      started_at = clock.stamp(entry.started),
      duration_seconds = sig.now() - entry.started,
    }
  end
  return 200, { room_id = room.id, active_streams = list, count = #list }
end)

-- Nobody is left whom one could see.
sig.on("room_close", function(room)
  for id, entry in room.state.streams:each() do
    stop(room, id, entry, entry.started_by)
  end
end)
