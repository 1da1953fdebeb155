-- Whether the server can do its work, for everybody.
local sig = require "lunasig"
sig.use { "std.presence", "std.stats" }

sig.test("it names its parts", function(t)
  local answer = t:request "GET /webrtc/health"
  assert(answer.status == 200 and answer.body.status == "healthy")
  assert(answer.body.components.redis.status == "embedded" and answer.body.components.mongodb.status == "embedded")
end)

sig.test("without its database it is unhealthy", function(t)
  t:store "down"
  local answer = t:request "GET /webrtc/health"
  assert(answer.status == 503 and answer.body.status == "unhealthy" and answer.body.components.mongodb.status == "unreachable")
end)
