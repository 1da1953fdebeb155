-- A slow or dead database holds no analytics event up; what is not written is counted.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.analytics" }

local path = "GET /webrtc/rooms/r1/analytics"

sig.test("a database that is down or slow loses records, and no message", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  t:advance "2s"
  for _, how in ipairs { "down", "slow" } do
    t:store(how)
    ann:sends("analytics-event", { event_type = how })
    bob:receives("analytics-event", { event_type = how })
    t:advance "1.5s"
    ann:sends("analytics-event", { event_type = "again" })
    bob:receives("analytics-event", { event_type = "again" })
    t:store "up"
    t:advance "10s"
  end
  local figures = ann:requests(path .. "/summary").body
  assert(figures.total_events == 4 and figures.dropped_events >= 1)
end)
