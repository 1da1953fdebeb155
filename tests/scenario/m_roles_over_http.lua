-- Hosts and moderators give roles over HTTP, and the room hears of it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.media", "std.permissions" }

local function give(by, user, role)
  return by:requests("POST /webrtc/rooms/r1/roles/" .. user .. "?role=" .. role)
end

sig.test("a host gives a role: the answer, the announcement, and what it is asked for later", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local answer = give(ann, "bob", "moderator")
  assert(answer.status == 200 and answer.body.success and answer.body.user_id == "bob" and answer.body.role == "moderator")
  bob:receives("role-updated", { user_id = "bob", role = "moderator", updated_by = "ann" })
  answer = bob:requests "/webrtc/rooms/r1/roles/bob"
  assert(answer.status == 200 and answer.body.user_id == "bob" and answer.body.role == "moderator")
end)

sig.test("an observer's screen is refused as soon as he is one", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("screen-share-control", { action = "start" })
  ann:receives "screen-share-control"
  give(ann, "bob", "observer")
  bob:sends("screen-share-control", { action = "start" })
  bob:is_refused "PERMISSION_DENIED"
  ann:receives_nothing "screen-share-control"
end)

sig.test("participants give none, and moderators neither make hosts nor unmake them", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  assert(give(eve, "eve", "moderator").status == 403)
  give(ann, "bob", "moderator")
  assert(give(bob, "eve", "host").status == 403)
  assert(give(bob, "ann", "participant").status == 403)
  assert(give(bob, "eve", "moderator").status == 200)
  assert(t:room("r1").host == "ann")
end)

sig.test("no token 401, nobody of that name 404, a role that there is not 422", function(t)
  local ann = scene.call(t, "ann")
  assert(t:request("/webrtc/rooms/r1/roles/ann").status == 401)
  assert(t:request("POST /webrtc/rooms/r1/roles/ann?role=host").status == 401)
  assert(ann:requests("/webrtc/rooms/r1/roles/nobody").status == 404)
  assert(give(ann, "nobody", "moderator").status == 404)
  assert(give(ann, "ann", "king").status == 422)
  assert(ann:requests("POST /webrtc/rooms/r1/roles/ann").status == 422)
end)
