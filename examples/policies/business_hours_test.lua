local sig = require "lunasig"

sig.use "business_hours"

local monday_noon, saturday = { date = "2026-01-05T12:00:00Z" }, { date = "2026-01-10T12:00:00Z" }
local before_eight, evening = { date = "2026-01-06T07:59:00Z" }, { date = "2026-01-05T18:00:00Z" }

local function staff(t)
  return t:client { user = "joe", claims = { staff = true }, expires = "7d" }
end

sig.test("on a Monday at noon everybody comes in", monday_noon, function(t)
  t:client("ann"):joins "r1"
end)

sig.test("in the evening nobody comes in but the staff", evening, function(t)
  local ann, joe = t:client "ann", staff(t)
  ann:joins "r1"
  local refusal = ann:is_refused "CLOSED"
  assert(refusal.payload.message == "open on weekdays, 8:00 to 18:00 UTC")
  joe:joins "r1"
end)

sig.test("the doors open at eight", before_eight, function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  ann:is_refused "CLOSED"
  t:advance "1min"
  ann:joins "r1"
end)

sig.test("on a Saturday nobody comes in", saturday, function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  ann:is_refused "CLOSED"
end)

sig.test("a call is warned five minutes before closing time, and ends then", monday_noon, function(t)
  local ann, joe = t:client "ann", staff(t)
  ann:joins "r1"
  joe:joins "r1"
  ann:receives_nothing { type = "closing-soon", within = "354min" }
  ann:receives { type = "closing-soon", payload = { seconds = 300 }, within = "1min" }
  ann:is_closed(1008, { within = "5min" })
  joe:receives("user-left", { user_id = "ann", reason = "closed" })
  joe:sends "closing-soon"
  joe:is_refused "FORBIDDEN_TYPE"
  assert(t:room("r1").count == 1)
end)

sig.test("a room that the staff opened before eight is closed to customers in the evening", before_eight, function(t)
  local ann, joe = t:client "ann", staff(t)
  joe:joins "r1"
  t:advance "1h"
  ann:joins "r1"
  ann:is_closed(1008, { within = "10h" })
end)
