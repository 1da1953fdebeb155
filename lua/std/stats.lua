-- GET /webrtc/health: whether the server can do its work, for monitors; no token is needed. GET /health is the same of the server itself.
local sig = require "lunasig"

sig.policy { name = "std.stats", api = 1 }

local probe = sig.store "health"

-- The records are in the server's own database, and messages pass inside of it: both names stay for monitors of the original service.
sig.route("GET /webrtc/health", { auth = "open", rate = "10/s burst 50 per ip" }, function()
  local alive = pcall(probe.get, probe, "probe")
  local components = {
    mongodb = { status = alive and "embedded" or "unreachable" },
    redis = { status = "embedded" },
  }
  return alive and 200 or 503, { status = alive and "healthy" or "unhealthy", components = components }
end)
