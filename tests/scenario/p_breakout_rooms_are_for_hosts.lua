-- Breakout rooms are made by hosts and moderators, within bounds.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.breakout" }

local path = "/webrtc/rooms/r1/breakout-rooms"

sig.test("others may not make, assign or close", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local id = ann:requests("POST " .. path, {}).body.breakout_room_id
  local rows = { "POST " .. path, ("POST %s/%s/assign/bob"):format(path, id), ("DELETE %s/%s"):format(path, id) }
  for _, row in ipairs(rows) do
    local body = row == rows[1] and {} or nil
    assert(bob:requests(row, body).status == 403)
    assert(t:client("eve"):requests(row, body).status == 403) -- never was here
    assert(t:request(row, body).status == 401)
  end
  assert(t:client("eve"):requests("GET " .. path).status == 403)
  ann:requests "POST /webrtc/rooms/r1/roles/bob?role=moderator"
  for _, row in ipairs(rows) do
    assert(bob:requests(row, row == rows[1] and {} or nil).status == 200)
  end
end)

sig.test("what is not there is not found", function(t)
  local ann = scene.call(t, "ann", "bob")
  local id = ann:requests("POST " .. path, {}).body.breakout_room_id
  assert(ann:requests(("POST %s/none/assign/bob"):format(path)).status == 404)
  assert(ann:requests(("POST %s/%s/assign/nobody"):format(path, id)).status == 404)
  assert(ann:requests(("DELETE %s/none"):format(path)).status == 404)
end)

sig.test("a room has a length, places and a name within bounds", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, wrong in ipairs { { duration_minutes = 0 }, { duration_minutes = 1441 }, { max_participants = 0 }, { name = 5 } } do
    assert(ann:requests("POST " .. path, wrong).status == 422)
  end
  ann:requests("POST " .. path, { name = "<b>one</b>", colour = "red" })
  bob:receives("breakout-room-create", { config = { name = "one" } })
  for _ = 2, 30 do
    t:advance "1s"
    assert(ann:requests("POST " .. path, {}).status == 200)
  end
  assert(ann:requests("POST " .. path, {}).status == 409)
end)
