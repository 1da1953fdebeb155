-- There is one host: who makes another one steps back, and who leaves hands over. Roles of those who left are remembered.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.media", "std.permissions" }

local function give(by, user, role)
  return by:requests("POST /webrtc/rooms/r1/roles/" .. user .. "?role=" .. role)
end

sig.test("who makes somebody else host steps back; nobody else can take the role from the host", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  assert(give(ann, "ann", "participant").status == 403)
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
  assert(give(ann, "bob", "host").status == 403)
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
