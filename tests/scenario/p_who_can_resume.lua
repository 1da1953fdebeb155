-- What one who was cut off is told over HTTP: whether he is connected, and can resume.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.quality" }

sig.test("whether one can resume", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local state = "GET /webrtc/rooms/r1/reconnection-state"
  local answer = ann:requests(state)
  local now = answer.body.state
  assert(answer.status == 200 and answer.body.room_id == "r1" and answer.body.user_id == "ann")
  assert(now.is_connected and now.can_resume and now.role == "host" and now.participant_count == 2)
  bob:drops()
  answer = bob:requests(state)
  assert(not answer.body.state.is_connected and answer.body.state.can_resume and answer.body.user_id == "bob")
  bob:resumes()
  bob:leaves()
  answer = bob:requests(state)
  assert(answer.status == 200 and not answer.body.state.can_resume and answer.body.state.role == "participant")
  answer = t:client("eve"):requests(state) -- never was here
  assert(answer.status == 200 and answer.body.user_id == "eve" and answer.body.state == nil)
  assert(t:request(state).status == 401)
end)
