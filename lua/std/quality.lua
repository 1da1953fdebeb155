-- How good somebody's connection is. A client reports figures, by message (network-stats) or over HTTP; they give a grade, which all see
-- in the participants of room-state, and are told when it changes (participant-update).
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local may = require "lunasig.may"

sig.policy { name = "std.quality", api = 1 }
sig.use "std.participants" -- participant-update

-- The worst figure decides: above one of these the connection is no better than that.
local grades = {
  { name = "poor", latency = 300, packet_loss = 5, jitter = 50 }, -- ms, percent, ms
  { name = "fair", latency = 150, packet_loss = 2, jitter = 30 },
}

sig.type "network-stats" {
  absent = "broadcast",
  alias = "network_stats",
  payload = sig.object {
    user_id = field.user,
    bandwidth_up = field.number,
    bandwidth_down = field.number,
    latency = field.number,
    packet_loss = field.number,
    jitter = field.number,
    connection_quality = field.text,
    timestamp = field.timestamp,
  },
}

sig.type "quality-update" {
  absent = "broadcast",
  alias = "quality_update",
  payload = sig.object {
    user_id = field.user,
    video_resolution = field.text,
    video_bitrate = field.number,
    audio_bitrate = field.number,
    frame_rate = field.number,
    reason = field.text,
    timestamp = field.timestamp,
  },
}

-- nil: there is no figure to go by.
local function grade_of(figures)
  local seen
  for _, grade in ipairs(grades) do
    for _, name in ipairs { "latency", "packet_loss", "jitter" } do
      local figure = figures[name]
      if type(figure) == "number" then
        if figure > grade[name] then return grade.name end
        seen = true
      end
    end
  end
  return seen and "good" or nil
end

local function note(room, member, grade)
  local before = member.attr.connection_quality
  if grade == nil or grade == before then return end
  member.attr.connection_quality = grade
  if before == nil and grade == "good" then return end -- nobody thought otherwise
  local participant = { user_id = member.id, username = member.username, role = member.role, connection_quality = grade }
  room:send("participant-update", { participant = participant, timestamp = clock.stamp() })
end

sig.on("message:network-stats", function(room, member, message)
  note(room, member, grade_of(message.payload))
end)

local figure = sig.number { min = 0, max = 1e9, optional = true, null = true }
local percent = sig.number { min = 0, max = 100, optional = true, null = true }

-- Two names for the same: those of network-stats and those of the original service. What is more is passed over.
local names = { latency = "latency_ms", packet_loss = "packet_loss_percent", jitter = "jitter_ms", bandwidth = "bandwidth_kbps" }
local figures = { bandwidth_up = figure, bandwidth_down = figure }
for name, other in pairs(names) do
  figures[name] = name == "packet_loss" and percent or figure
  figures[other] = figures[name]
end

local advice = {
  fair = { "Send a smaller picture if it lags" },
  poor = { "Send a smaller picture, or none", "Stop what else uses the network" },
}

local report = { body = sig.object(figures, { extra = true }), rate = "2/s burst 20 per user" }

sig.route("POST /webrtc/rooms/:room/connection-quality", report, function(request, room)
  local member, body = room:member(request.user), request.body
  if not member or may.waits(room, member.id) then return 403, { detail = "You are not in this room" } end
  local metrics = {}
  for name, other in pairs(names) do
    body[name] = body[name] or body[other]
    metrics[other] = body[name]
  end
  local grade = grade_of(body)
  note(room, member, grade)
  return 200, {
    success = true,
    room_id = room.id,
    user_id = member.id,
    quality = grade or member.attr.connection_quality or "unknown",
    metrics = metrics,
    recommendations = sig.json.array(advice[grade] or {}),
    timestamp = clock.stamp(),
  }
end)

-- What one who was cut off finds when he returns; of the bearer. null: he never was here.
sig.route("GET /webrtc/rooms/:room/reconnection-state", {}, function(request, room)
  local user, member, role = request.user, room:member(request.user), may.role(room, request.user)
  local state = role and {
    is_connected = member ~= nil and not member.away,
    can_resume = member ~= nil, -- with the resume_token of room-state; else it is an ordinary join
    connections = member and member.connections or 0,
    joined_at = member and clock.stamp(member.joined_at) or nil,
    connection_quality = member and member.attr.connection_quality or nil,
    role = role,
    participant_count = room.count,
  }
  return 200, { room_id = room.id, user_id = user, state = state or sig.null }
end)
