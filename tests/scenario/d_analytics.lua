-- Events that clients report about their use of the room.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.analytics" }

sig.test("an event has a type, and any data", function(t)
  local full = { event_type = "clicked", user_id = "ann", data = { button = { 1, "two", true } }, timestamp = "2026-01-05T12:00:00Z" }
  scene.checks_payload(t, "analytics-event", full, { event_type = "x" }, {
    { "event_type" },
    { "event_type", "" },
    { "event_type", ("e"):rep(129) },
    { "user_id", 5 },
    { "timestamp", 5 },
    { "extra", true, "payload" },
  })
end)

sig.test("its data is whatever JSON can say", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, data in ipairs { 5, "text", true, { 1, 2 } } do
    ann:sends("analytics-event", { event_type = "x", data = data })
    bob:receives("analytics-event", { data = data })
  end
  ann:sends_raw [[{"type":"analytics_event","payload":{"event_type":"x","data":null}}]]
  bob:receives "analytics-event"
end)
