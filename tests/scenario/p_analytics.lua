-- Analytics: what clients report is counted and recorded, for those who are in the room, or were.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.analytics" }

local path = "GET /webrtc/rooms/r1/analytics"

sig.test("the summary has real figures", function(t)
  local ann, bob, max = scene.call(t, "ann", "bob", "max")
  for _, kind in ipairs { "click", "click", "scroll" } do
    bob:sends("analytics-event", { event_type = kind })
  end
  ann:receives "analytics-event"
  bob:leaves()
  max:leaves()
  local eve = t:client "eve"
  eve:joins "r1"
  eve:leaves()
  local answer = ann:requests(path .. "/summary")
  local figures = answer.body
  assert(answer.status == 200 and figures.total_events == 3 and figures.event_types.click == 2 and figures.event_types.scroll == 1)
  assert(figures.unique_users == 4 and figures.peak_participants == 3 and figures.current_participants == 1)
end)

sig.test("events are recorded, the newest first, with whose they really are", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for i = 1, 3 do
    bob:sends("analytics-event", { event_type = "step", user_id = "ann", data = { i = i } })
  end
  local answer = ann:requests(path)
  assert(answer.status == 200 and answer.body.count == 3 and answer.body.room_id == "r1")
  assert(answer.body.events[1].data.i == 3 and answer.body.events[1].user_id == "bob")
  assert(ann:requests(path .. "?limit=5000").body.count == 3)
  answer = ann:requests(path .. "?limit=2")
  assert(answer.body.count == 2 and answer.body.events[2].data.i == 2)
  for _, wrong in ipairs { "0", "x" } do
    assert(ann:requests(path .. "?limit=" .. wrong).status == 422)
  end
end)

sig.test("those who are in the room, or were, may read", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:leaves()
  t:advance "2s"
  assert(bob:requests(path).status == 200 and ann:requests(path .. "/summary").status == 200)
  for _, row in ipairs { path, path .. "/summary" } do
    assert(t:client("eve"):requests(row).status == 403)
    assert(t:request(row).status == 401)
  end
end)
