-- The grade of a connection: by message or over HTTP, the same figures give the same grade, and all see it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.quality" }

local path = "/webrtc/rooms/r1/connection-quality"

local grades = { -- latency, packet_loss, jitter
  { 150, 2, 30, "good" }, { 151, 0, 0, "fair" }, { 0, 2.1, 0, "fair" }, { 0, 0, 31, "fair" },
  { 300, 5, 50, "fair" }, { 301, 0, 0, "poor" }, { 0, 5.1, 0, "poor" }, { 0, 0, 51, "poor" }, { nil, 6, nil, "poor" },
}

sig.test("the worst figure decides", function(t)
  local ann = scene.call(t, "ann")
  for _, case in ipairs(grades) do
    local figures = { latency = case[1], packet_loss = case[2], jitter = case[3] }
    local answer = ann:requests("POST " .. path, figures)
    assert(answer.status == 200 and answer.body.quality == case[4], sig.json.encode(figures))
    ann:sends("network-stats", figures)
    assert(t:room("r1").members[1].attr.connection_quality == case[4])
    t:advance "1s"
  end
end)

sig.test("the others are told when it changes, and only then", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests("POST " .. path, { latency = 20 })
  bob:receives_nothing()
  ann:sends("network-stats", { latency = 400 })
  bob:receives("participant-update", { participant = { user_id = "ann", connection_quality = "poor" } })
  bob:receives("network-stats", { latency = 400 })
  ann:requests("POST " .. path, { latency_ms = 500 })
  bob:receives_nothing()
  ann:requests("POST " .. path, { latency = 20 })
  bob:receives("participant-update", { participant = { connection_quality = "good" } })
  assert(t:client("eve"):joins("r1").payload.participants[1].attr.connection_quality == "good")
end)

sig.test("the names of the original service are understood, and the answer says what to do", function(t)
  local ann = scene.call(t, "ann")
  local figures = { latency_ms = 20, packet_loss_percent = 9, jitter_ms = 3, bandwidth_kbps = 800, more = true }
  local answer = ann:requests("POST " .. path, figures).body
  assert(answer.quality == "poor" and answer.metrics.packet_loss_percent == 9 and answer.metrics.bandwidth_kbps == 800)
  assert(#answer.recommendations == 2 and answer.timestamp:find "^%d+%-%d%d%-%d%dT")
  figures.packet_loss_percent = sig.null
  answer = ann:requests("POST " .. path, figures).body
  assert(answer.quality == "good" and #answer.recommendations == 0)
end)

sig.test("it is one's own, of a room that one is in", function(t)
  local ann = scene.call(t, "ann")
  assert(t:client("eve"):requests("POST " .. path, { latency = 20 }).status == 403)
  assert(t:request("POST " .. path, { latency = 20 }).status == 401)
  assert(ann:requests("POST " .. path, { latency = "20" }).status == 422)
  assert(ann:requests("POST " .. path, { packet_loss = 101 }).status == 422)
  assert(ann:requests("POST " .. path, {}).body.quality == "unknown")
end)
