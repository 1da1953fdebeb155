-- A server that is about to end says so, sends everybody away in order, and takes nobody any more; nobody has left.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat", "std.stats" }

sig.test("members hear of it with a hint when to come back, and are away", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local old = t:client { user = "old", dialect = "compat" }
  old:joins "r1"
  ann:receives "user-joined"
  bob:receives "user-joined"
  t:drain()
  for _, client in ipairs { ann, bob } do
    local hint = client:receives("draining").payload.retry_after_ms
    assert(hint >= 0 and hint <= 2000)
    client:is_closed(1001)
  end
  old:receives_nothing "draining"
  old:is_closed(1001)
  assert(t:room("r1").count == 3)
end)

sig.test("who comes meanwhile is sent to another one", function(t)
  local ann, eve = scene.call(t, "ann"), t:client "eve"
  t:drain "n1"
  ann:resumes()
  ann:is_refused(503)
  eve:joins "r1"
  eve:is_refused "DRAINING"
  t:node { name = "n2" }
  eve:joins("r1", { node = "n2" })
  ann:resumes { node = "n2" }
  ann:sends("chat-message", { content = "here we are" })
  eve:receives("chat-message", { content = "here we are" })
end)

sig.test("whoever asks over HTTP is told", function(t)
  assert(t:request("GET /health").body.status == "healthy" and t:request("GET /ready").status == 200)
  t:drain()
  local health, ready = t:request "GET /health", t:request "GET /ready"
  assert(health.status == 503 and health.body.status == "draining" and health.body.database == "connected")
  assert(ready.status == 503 and ready.body.status == "not ready" and t:request("GET /live").status == 200)
  local route = t:request "GET /webrtc/health"
  assert(route.status == 503 and route.headers["retry-after"] == "1")
end)

sig.test("who does not come back in time has left", function(t)
  scene.call(t, "ann", "bob")
  t:drain()
  t:advance "29s"
  assert(t:room("r1").count == 2)
  t:advance "2s"
  assert(t:room("r1").count == 0)
end)
