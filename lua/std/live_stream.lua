-- Live streams: which there are. Hosts and moderators start and stop them, over HTTP, and all in the room are told. The stream key goes
-- into sig.store "live_stream_keys" and nowhere else, and so does the address, which may have the key in it: no message and no answer has
-- them. What feeds the stream reads them there, under ROOM/STREAM_ID; when the stream ends they are removed.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local answer = require "lunasig.answer"
local may = require "lunasig.may"
local text = require "lunasig.text"

sig.policy { name = "std.live_stream", api = 1 }
local refused = answer.refused

local streams_max = 5 -- of a room, at once
local key_max = 1024 -- bytes, of the key and of each address
local kept = "24h" -- should the server die meanwhile

local keys = sig.store "live_stream_keys" -- by room and stream_id

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
shown.description = sig.string { max = 1000, optional = true, null = true }
local secret = { "stream_key", "stream_url", "rtmp_url", "server_url" }

local body = { stream_id = sig.string { max = 64, optional = true, null = true } } -- as clients of the original service choose it
for name, schema in pairs(shown) do
  body[name] = schema
end

-- nil and why: the secrets of a request cannot be kept apart from what all will see.
local function secrets_of(request, config)
  local found = {}
  for _, name in ipairs(secret) do
    local value = request[name]
    if value ~= nil and (type(value) ~= "string" or #value > key_max) then
      return nil, ("%s: a text of at most %d bytes"):format(name, key_max)
    end
    found[name] = value ~= "" and value or nil
  end
  for name, seen in pairs(config) do
    for _, value in pairs(found) do
      if type(seen) == "string" and seen:find(value, 1, true) then
        return nil, name .. ": all in the room see it, and it has the stream key or an address in it"
      end
    end
  end
  return found
end

-- What all may see of a request, cleaned.
local function config_of(request)
  local config = { stream_id = request.stream_id }
  for name in pairs(shown) do
    local value = request[name]
    config[name] = type(value) == "string" and text.without_tags(text.without_controls(value)) or value
  end
  return config
end

local function stop(room, id, entry, by)
  local seconds = clock.since(entry.started)
  room.state.streams:remove(id)
  room:send("live-stream-stop", { stream_id = id, stopped_by = by, duration_seconds = seconds, timestamp = clock.stamp() })
  if not pcall(keys.remove, keys, room.id .. "/" .. id) then sig.log("warning", "a stream key was not removed: it ends within " .. kept) end
  return seconds
end

local options = { body = sig.object(body, { extra = true }), rate = "2/s burst 10 per user" }

sig.route("POST /webrtc/rooms/:room/live-streams/start", options, function(request, room)
  local streams = room.state.streams
  if not may.manage(room, request.user) then return refused(403, "Only hosts and moderators start live streams") end
  if room.count == 0 then return refused(403, "There is nobody in the room") end
  if streams:count() >= streams_max then return refused(409, ("A room has at most %d live streams"):format(streams_max)) end
  local config = config_of(request.body)
  local secrets, why = secrets_of(request.body, config)
  if not secrets then return answer.invalid("stream_key", why) end
  local id = config.stream_id or sig.random.id() -- one of ours has letters of a short key by chance, and tells nothing
  config.stream_id = id
  if not id:find "^[%w_-]+$" then return answer.invalid("stream_id", "it has letters, digits, _ and -") end
  if streams:has(id) then return refused(409, "There is a live stream of this id already") end
  streams:set(id, { config = config, started_by = request.user, started = sig.now() })
  secrets.room_id, secrets.started_by = room.id, request.user
  local stored = pcall(keys.put, keys, room.id .. "/" .. id, secrets, { ttl = kept })
  if not streams:has(id) then return refused(409, "The room was left meanwhile") end
  if not stored then
    streams:remove(id)
    return refused(503, "The stream key could not be stored")
  end
  room:send("live-stream-start", { config = config, started_by = request.user, timestamp = clock.stamp() })
  return 200, { success = true, stream_id = id, status = "streaming" }
end)

sig.route("POST /webrtc/rooms/:room/live-streams/:id/stop", {}, function(request, room)
  local id = request.params.id
  local entry = room.state.streams:get(id)
  if not may.manage(room, request.user) then return refused(403, "Only hosts and moderators stop live streams") end
  if not entry then return refused(404) end
  local seconds = stop(room, id, entry, request.user)
  return 200, { success = true, stream_id = id, status = "stopped", duration_seconds = seconds }
end)

sig.route("GET /webrtc/rooms/:room/live-streams", {}, function(_, room)
  local list = sig.json.array {}
  for id, entry in room.state.streams:each() do
    list[#list + 1] = {
      stream_id = id,
      config = entry.config,
      status = "streaming",
      started_by = entry.started_by,
      started_at = clock.stamp(entry.started),
      duration_seconds = clock.since(entry.started),
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
