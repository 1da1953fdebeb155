-- Who is in a room, over HTTP, and what somebody says about himself.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.permissions", "std.room_settings", "std.participants", "std.media" }

local path = "/webrtc/rooms/r1/participants"

sig.test("the list has everybody who is there, the longest there first", function(t)
  local ann = scene.call(t, "ann", "bob")
  local list = ann:requests(path)
  assert(list.status == 200 and list.body.room_id == "r1" and list.body.participant_count == 2)
  local first = list.body.participants[1]
  assert(first.user_id == "ann" and first.username == "ann" and first.role == "host")
  assert(first.joined_at:find "^%d+%-%d%d%-%d%dT" and list.body.participants[2].user_id == "bob")
  local empty = ann:requests "/webrtc/rooms/r2/participants"
  assert(empty.status == 200 and empty.body.participant_count == 0 and #empty.body.participants == 0)
end)

sig.test("what somebody says about himself is answered, announced and in the enhanced list", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local answer = bob:requests("POST " .. path .. "/bob/info", { username = "Bob <b>the</b> Great", connection_quality = "good" })
  assert(answer.status == 200 and answer.body.success and answer.body.user_id == "bob")
  assert(answer.body.info.connection_quality == "good")
  ann:receives("participant-update", { participant = { user_id = "bob", username = "Bob the Great", role = "participant" } })
  local bobs = ann:requests(path .. "/enhanced").body.participants[2]
  assert(bobs.username == "Bob the Great" and bobs.connection_quality == "good" and bobs.hand_raised == false)
end)

sig.test("a whole participant may be sent, as older clients do: what is null or not his to say is passed over", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local info = { user_id = "ann", username = sig.null, role = "host", audio_enabled = false, connection_quality = sig.null }
  info.hand_raised, info.hand_raised_at, info.joined_at = true, sig.null, "2020-01-01T00:00:00Z"
  assert(bob:requests("POST " .. path .. "/bob/info", info).status == 200)
  local update = ann:receives("participant-update", { participant = { user_id = "bob", username = "bob", audio_enabled = false } })
  local seen = update.payload.participant
  assert(seen.role == "participant" and seen.hand_raised == false and seen.joined_at ~= info.joined_at)
end)

sig.test("messages act on the same: who mutes himself is muted in the list", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("media-control", { action = "mute", media_type = "audio" })
  ann:receives "media-control"
  assert(ann:requests(path .. "/enhanced").body.participants[2].audio_enabled == false)
end)

sig.test("names stay as they are, and microphones off, where the host says so", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests("POST /webrtc/rooms/r1/settings", { allow_participants_rename = false, allow_participants_unmute = false })
  assert(bob:requests("POST " .. path .. "/bob/info", { username = "Host" }).status == 403)
  assert(bob:requests("POST " .. path .. "/bob/info", { audio_enabled = true }).status == 403)
  assert(bob:requests("POST " .. path .. "/bob/info", { audio_enabled = false }).status == 200)
  assert(ann:requests("POST " .. path .. "/ann/info", { username = "Ann" }).status == 200)
end)

sig.test("no token 401, somebody else's 403, not in the room 404, wrong values 422", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, route in ipairs { "GET " .. path, "GET " .. path .. "/enhanced", "POST " .. path .. "/ann/info" } do
    assert(t:request(route).status == 401)
  end
  assert(ann:requests("POST " .. path .. "/bob/info", { username = "x" }).status == 403)
  bob:leaves()
  assert(bob:requests("POST " .. path .. "/bob/info", { username = "x" }).status == 404)
  assert(ann:requests("POST " .. path .. "/ann/info", { is_speaking = "loudly" }).status == 422)
end)
