-- Hosts and moderators give roles over HTTP; the room hears of it, and remembers it of those who have left.
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

sig.test("who makes somebody else host steps back; nobody else can take the role from the host", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  assert(give(ann, "ann", "participant").status == 409)
  assert(give(ann, "bob", "host").status == 200)
  bob:receives("role-updated", { user_id = "ann", role = "moderator", updated_by = "ann" })
  bob:receives("role-updated", { user_id = "bob", role = "host", updated_by = "ann" })
  assert(t:room("r1").host == "bob")
end)

sig.test("somebody who left keeps his role, and can be given another one meanwhile", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  give(ann, "bob", "moderator")
  bob:leaves()
  assert(ann:requests("/webrtc/rooms/r1/roles/bob").body.role == "moderator")
  assert(give(ann, "bob", "host").status == 409)
  assert(give(ann, "bob", "observer").status == 200)
  ann:receives("role-updated", { user_id = "bob", role = "observer", updated_by = "ann" })
  assert(bob:joins("r1").payload.self.role == "observer")
end)

sig.test("a host who leaves hands over, and his heir gives roles", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  ann:leaves()
  eve:receives("role-updated", { user_id = "bob", role = "host" })
  assert(give(bob, "eve", "moderator").status == 200)
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
