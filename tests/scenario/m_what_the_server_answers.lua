-- What the server answers by itself: its health, and the configuration for WebRTC.
local sig = require "lunasig"
sig.use { "std.presence" }

sig.test("it is healthy", function(t)
  local answer = t:request "/health"
  assert(answer.status == 200 and answer.body.status == "healthy")
  assert(t:request("POST /health").status == 405)
end)

sig.test("the configuration is for those with a token", function(t)
  assert(t:request("/webrtc/config").status == 401)
  local answer = t:client("ann"):requests "/webrtc/config"
  assert(answer.status == 200 and answer.body.ice_servers[1].urls[1]:find "^stun:")
  assert(answer.body.ice_transport_policy == "all" and answer.body.bundle_policy == "balanced")
end)

sig.test("a token that has ended is none", function(t)
  local token = t:token { user = "ann", expires = "-1h" }
  assert(t:request("/webrtc/config", nil, { token = token }).status == 401)
end)
