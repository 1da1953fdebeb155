-- The figures of a room outlive it, and events end after thirty days.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.analytics" }

local path = "GET /webrtc/rooms/r1/analytics"

sig.test("a room that was empty goes on where it ended", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("analytics-event", { event_type = "click" })
  t:advance "2s"
  ann:leaves()
  t:advance "2h"
  assert(ann:requests(path .. "/summary").body.total_events == 1) -- also while nobody is there
  ann:joins "r1"
  ann:sends("analytics-event", { event_type = "click" })
  local figures = ann:requests(path .. "/summary").body
  assert(figures.total_events == 2 and figures.event_types.click == 2 and figures.unique_users == 1)
  assert(ann:requests(path).body.count == 2)
end)

sig.test("events end after thirty days, and their numbers begin again", function(t)
  local ann = scene.call(t, "ann")
  local function says(what)
    ann:sends("analytics-event", { event_type = what })
    t:advance "2s"
    ann:leaves()
  end
  says "first"
  t:advance "700h"
  ann:joins "r1"
  says "second"
  t:advance "21h"
  ann:joins "r1"
  says "third"
  local events = ann:requests(path).body.events
  assert(#events == 1 and events[1].event_type == "third")
end)
