-- Recordings over HTTP: what is refused, and that stopping what is not there is no mistake.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.recording_routes" }

local r1 = "/webrtc/rooms/r1/"

sig.test("to stop what is not there is no mistake; the rest is not found", function(t)
  local ann = scene.call(t, "ann")
  assert(ann:requests("POST " .. r1 .. "recordings/none/stop").body.status == "stopped")
  assert(ann:requests("POST " .. r1 .. "recording/none/stop").status == 200)
  for _, request in ipairs { "POST pause", "POST resume", "GET status", "DELETE " } do
    local method, action = request:match "^(%S+) (.*)$"
    local path = r1 .. "recording/none" .. (action ~= "" and "/" .. action or "")
    assert(ann:requests(method .. " " .. path).status == 404)
    assert(t:request(method .. " " .. path).status == 401)
  end
end)

sig.test("it takes the permission, and good queries", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  assert(bob:requests("POST " .. r1 .. "recordings/start?recording_id=rec1").status == 403)
  assert(bob:requests("POST " .. r1 .. "recording/start").status == 403)
  ann:requests("POST " .. r1 .. "recordings/start?recording_id=rec1")
  assert(bob:requests("POST " .. r1 .. "recordings/rec1/stop").status == 403)
  assert(bob:requests("DELETE " .. r1 .. "recording/rec1").status == 403)
  assert(ann:requests("POST " .. r1 .. "recordings/start").status == 422)
  assert(ann:requests("POST " .. r1 .. "recording/start?quality=best").status == 422)
end)
