-- Clients of the original service choose the id of a live stream, and describe it: names are cleaned, and may not have the key in them.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.live_stream" }

local path = "/webrtc/rooms/r1/live-streams"
local config = { stream_id = "s-1", platform = "youtube", stream_key = "hush", title = "A <b>day</b>" }
config.stream_url = "rtmp://live.example/x"

local function with(name, value)
  local copy = { description = sig.null }
  for field, old in pairs(config) do
    copy[field] = old
  end
  copy[name] = value
  return copy
end

sig.test("the id that was asked for is the one of the stream", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local answer = ann:requests("POST " .. path .. "/start", with("description", "<i>all</i>\nof it"))
  assert(answer.status == 200 and answer.body.stream_id == "s-1" and answer.body.status == "streaming")
  local shown = t.exactly { stream_id = "s-1", platform = "youtube", title = "A day", description = "all\nof it" }
  bob:receives("live-stream-start", { config = shown })
  assert(ann:requests("POST " .. path .. "/start", config).status == 409)
  assert(ann:requests("POST " .. path .. "/s-1/stop?duration_seconds=5").status == 200)
  bob:receives("live-stream-stop", { stream_id = "s-1", stopped_by = "ann" })
end)

sig.test("an id is one, and no name has the key in it, cleaned or not", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for name, wrong in pairs { stream_id = "a/b", title = "hu<b>sh", description = "the key: hush" } do
    assert(ann:requests("POST " .. path .. "/start", with(name, wrong)).status == 422, name)
  end
  assert(ann:requests("POST " .. path .. "/start", with("stream_id", "hush")).status == 422)
  bob:receives_nothing()
end)

sig.test("with nobody in the room nothing is streamed", function(t)
  local ann = scene.call(t, "ann")
  ann:leaves()
  assert(ann:requests("POST " .. path .. "/start", config).status == 403)
end)
