-- Analytics have bounds: of one event, of what waits, of what is told apart and of what is kept.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.analytics" }

local path = "GET /webrtc/rooms/r1/analytics"
local fast = { settings = { WEBSOCKET_MESSAGE_RATE_LIMIT = "0" } }

sig.test("data that are too big are relayed, and not recorded", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("analytics-event", { event_type = "big", data = ("x"):rep(5000) })
  assert(#bob:receives("analytics-event").payload.data == 5000)
  local event = ann:requests(path).body.events[1]
  assert(event.event_type == "big" and event.data == nil and event.data_dropped)
end)

sig.test("the last thousand are kept", fast, function(t)
  local ann = scene.call(t, "ann")
  for i = 1, 1030 do
    ann:sends("analytics-event", { event_type = "e", data = i })
    if i % 50 == 0 then t:advance "1s" end
  end
  t:advance "2s"
  local answer = ann:requests(path .. "?limit=1000").body
  assert(answer.count == 1000 and answer.events[1].data == 1030 and answer.events[1000].data == 31)
  assert(ann:requests(path .. "/summary").body.total_events == 1030)
end)

sig.test("what does not fit into the queue is counted, and relayed", fast, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _ = 1, 150 do
    ann:sends("analytics-event", { event_type = "e" })
    bob:receives "analytics-event"
  end
  local figures = ann:requests(path .. "/summary").body
  assert(figures.total_events == 150 and figures.dropped_events > 0)
  assert(ann:requests(path .. "?limit=1000").body.count == 150 - figures.dropped_events)
end)

sig.test("of many types the last are one", fast, function(t)
  local ann = scene.call(t, "ann")
  for i = 1, 60 do
    ann:sends("analytics-event", { event_type = "type " .. i })
  end
  ann:sends("analytics-event", { event_type = ("ä"):rep(40) })
  local figures = ann:requests(path .. "/summary").body
  assert(figures.event_types["type 1"] == 1 and figures.event_types.other == 11 and figures.total_events == 61)
end)
