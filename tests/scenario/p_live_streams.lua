-- Live streams: all are told, and nobody ever sees the key.
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

-- Neither stands anywhere in it.
local function is_clean(value)
  local text = sig.json.encode(value)
  assert(not text:find(key, 1, true) and not text:find("hidden", 1, true), text)
end

sig.test("the key is stored, and is in no message and no answer", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local answer = ann:requests("POST " .. path .. "/start", config)
  assert(answer.status == 200 and answer.body.success and answer.body.status == "streaming")
  is_clean(answer)
  for _, client in ipairs { ann, bob } do
    local told = client:receives("live-stream-start", { started_by = "ann", config = { title = "The launch", bitrate = 2500 } })
    is_clean(told)
  end
  answer = bob:requests("GET " .. path)
  assert(answer.body.count == 1 and answer.body.active_streams[1].config.platform == "youtube")
  is_clean(answer)
  ann:sends("look", { id = answer.body.active_streams[1].stream_id })
  ann:receives("found", { key = key, url = url })
  is_clean(t:state("r1", "std.live_stream"))
  is_clean(t:client("eve"):joins("r1"))
end)

sig.test("a wrong request does not give the key back either", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for name, wrong in pairs { title = 5, bitrate = key, platform = { key }, stream_key = key:rep(100), rtmp_url = { key } } do
    local body = { stream_key = key, [name] = wrong }
    local answer = ann:requests("POST " .. path .. "/start", body)
    assert(answer.status == 422, name)
    is_clean(answer)
  end
  local answer = ann:requests("POST " .. path .. "/start", { title = "key: " .. key, stream_key = key })
  assert(answer.status == 422)
  is_clean(answer)
  bob:receives_nothing()
end)

sig.test("a key may be short: what the server chooses has letters of it by chance", function(t)
  local ann = scene.call(t, "ann")
  for short in ("abcde"):gmatch "." do
    assert(ann:requests("POST " .. path .. "/start", { title = "x", stream_key = short }).status == 200, short)
  end
end)
