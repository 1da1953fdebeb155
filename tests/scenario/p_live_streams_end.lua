-- Live streams end when they are stopped or nobody is left, and their keys are forgotten. Hosts and moderators decide.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.live_stream" }

sig.type "look" { to = "server", payload = sig.object }
sig.on("message:look", function(room, member, message)
  local found = sig.store.live_stream_keys:get(room.id .. "/" .. message.payload.id)
  member:send("found", { key = found and found.stream_key, url = found and found.rtmp_url, count = #sig.store.live_stream_keys:list {} })
end)

local path = "/webrtc/rooms/r1/live-streams"
local key, url = "se-cr-et-key", "rtmp://live.example/app/hidden"
local config = { title = "The launch", platform = "youtube", bitrate = 2500, stream_key = key, rtmp_url = url, more = key }

sig.test("it stops, and the key is forgotten", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local id = ann:requests("POST " .. path .. "/start", config).body.stream_id
  t:advance "90s"
  local answer = ann:requests(("POST %s/%s/stop"):format(path, id))
  assert(answer.status == 200 and answer.body.success and answer.body.stream_id == id and answer.body.status == "stopped")
  bob:receives("live-stream-stop", { stream_id = id, stopped_by = "ann", duration_seconds = 90 })
  ann:sends("look", { id = id })
  ann:receives("found", { count = 0 })
  assert(bob:requests("GET " .. path).body.count == 0)
  assert(ann:requests(("POST %s/%s/stop"):format(path, id)).status == 404)
end)

sig.test("it ends when nobody is left in the room", function(t)
  local ann = scene.call(t, "ann")
  ann:requests("POST " .. path .. "/start", config)
  ann:leaves()
  t:advance "1s"
  ann:joins "r1"
  assert(ann:requests("GET " .. path).body.count == 0)
  ann:sends("look", { id = "x" })
  ann:receives("found", { count = 0 })
end)

sig.test("hosts and moderators start and stop them, five at once", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  assert(bob:requests("POST " .. path .. "/start", config).status == 403)
  assert(t:request("POST " .. path .. "/start", config).status == 401)
  assert(t:request("GET " .. path).status == 401)
  local id
  for _ = 1, 5 do
    id = ann:requests("POST " .. path .. "/start", config).body.stream_id
  end
  assert(ann:requests("POST " .. path .. "/start", config).status == 409)
  assert(bob:requests(("POST %s/%s/stop"):format(path, id)).status == 403)
  t:store "down"
  assert(ann:requests(("POST %s/%s/stop"):format(path, id)).status == 200)
  assert(ann:requests("POST " .. path .. "/start", config).status == 503)
  assert(ann:requests("GET " .. path).body.count == 4)
end)
