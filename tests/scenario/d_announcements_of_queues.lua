-- A policy may let clients send what else only the server says about queues and rooms; then these payloads are checked.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.hand_raise", "std.waiting_room", "std.breakout", "std.live_stream" }
scene.opens(sig, "hand-raise-queue", "waiting-room-admit", "waiting-room-reject")

local when = "2026-01-05T12:00:00Z"
scene.opens(sig, "breakout-room-create", "breakout-room-assign", "breakout-room-close", "live-stream-start", "live-stream-stop")

local function needs(t, type, full, ids)
  local wrong = { { "timestamp", 5 }, { "extra", true, "payload" } }
  local required = {}
  for name, value in pairs(full) do
    required[name] = name ~= "timestamp" and value or nil
  end
  for _, name in ipairs(ids) do
    wrong[#wrong + 1] = { name }
    wrong[#wrong + 1] = { name, 5 }
  end
  scene.checks_payload(t, type, full, required, wrong)
end

sig.test("a queue is a list of who waits, from the first place on", function(t)
  local bob = { username = "Bob", raised_at = when, position = 1, user_id = "bob" }
  local wrong = { { "queue" }, { "queue", "nobody" }, { "timestamp", 5 } }
  for name, value in pairs { username = 5, raised_at = 5, position = 0, user_id = 5 } do
    local place = { position = 1, user_id = "bob" }
    place[name] = value
    wrong[#wrong + 1] = { "queue", { bob, place }, "payload.queue[1]." .. name }
  end
  wrong[#wrong + 1] = { "queue", { { position = 1 } }, "payload.queue[0].user_id" }
  wrong[#wrong + 1] = { "queue", { { user_id = "bob" } }, "payload.queue[0].position" }
  scene.checks_payload(t, "hand-raise-queue", { queue = { bob }, timestamp = when }, { queue = sig.json.array {} }, wrong)
end)

sig.test("who is let in or turned away is named, and by whom", function(t)
  for _, type in ipairs { "waiting-room-admit", "waiting-room-reject" } do
    needs(t, type, { user_id = "bob", actioned_by = "ann", timestamp = when }, { "user_id", "actioned_by" })
  end
end)

sig.test("breakout rooms name the room, and who made, filled and closed it", function(t)
  needs(t, "breakout-room-create", { config = { name = "a" }, created_by = "ann", timestamp = when }, { "config", "created_by" })
  local ids = { "user_id", "breakout_room_id", "assigned_by" }
  needs(t, "breakout-room-assign", { user_id = "bob", breakout_room_id = "b1", assigned_by = "ann", timestamp = when }, ids)
  ids = { "breakout_room_id", "closed_by" }
  needs(t, "breakout-room-close", { breakout_room_id = "b1", closed_by = "ann", timestamp = when }, ids)
end)

sig.test("live streams name the stream, and how long it was", function(t)
  needs(t, "live-stream-start", { config = { at = "x" }, started_by = "ann", timestamp = when }, { "config", "started_by" })
  local full = { stream_id = "s1", stopped_by = "ann", duration_seconds = 0, timestamp = when }
  scene.checks_payload(t, "live-stream-stop", full, full, {
    { "stream_id" },
    { "stream_id", 5 },
    { "stopped_by" },
    { "stopped_by", 5 },
    { "duration_seconds" },
    { "duration_seconds", -1 },
    { "timestamp", 5 },
  })
end)
