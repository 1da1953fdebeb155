-- The server in figures, for monitors and dashboards; no token is needed for them. And with a token: how far one is from his limits.
-- GET /health and GET /metrics tell more; they are the server's own.
local sig = require "lunasig"
local clock = require "lunasig.clock"

sig.policy { name = "std.stats", api = 1 }

-- Whoever knows the name of a room can try to join it. true: the open GET /webrtc/stats tells the names of the largest rooms.
local name_rooms = false

local open = { auth = "open", rate = "10/s burst 50 per ip" }

-- "connected", "embedded" (the server does it itself, without MongoDB or Redis) or "unreachable".
sig.route("GET /webrtc/health", open, function()
  local healthy, components = true, {}
  for name, status in pairs(sig.components()) do
    components[name] = { status = status }
    healthy = healthy and status ~= "unreachable"
  end
  return healthy and 200 or 503, { status = healthy and "healthy" or "unhealthy", components = components, timestamp = clock.stamp() }
end)

local function counts(figures)
  return {
    rooms = figures.rooms,
    participants = figures.members,
    connections = figures.connections,
    away = figures.away,
    messages_relayed = figures.messages_relayed,
    uptime_seconds = figures.uptime_seconds,
    timestamp = clock.stamp(),
  }
end

sig.route("GET /webrtc/webrtc-metrics", open, function()
  return 200, counts(sig.stats())
end)

sig.route("GET /webrtc/stats", open, function()
  local figures = sig.stats()
  local answer, top = counts(figures), sig.json.array {}
  for i, room in ipairs(figures.top_rooms) do
    top[i] = { room_id = name_rooms and room.room_id or nil, participants = room.members }
  end
  answer.rooms_by_size, answer.top_rooms = figures.rooms_by_size, top
  return 200, answer
end)

-- type: a message type, "message" (all of them) or "connection". Asking takes nothing from what is left.
sig.route("GET /webrtc/rate-limits/:type/status", { rate = "10/s burst 50 per user" }, function(request)
  local type = request.params.type
  local rate = sig.rate(request.user, type)
  if not rate then return 404, { detail = "Not Found" } end
  local answer = { user_id = request.user, type = type, limited = rate.remaining == 0, rules = rate.rules }
  for _, name in ipairs { "limit", "period", "burst", "remaining", "retry_after", "reset_after" } do
    answer[name] = rate[name] or sig.null -- null: nothing limits it
  end
  return 200, answer
end)
