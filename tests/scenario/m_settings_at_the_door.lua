-- Settings that decide who comes in. An empty room locks nobody out.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.room_settings" }

local function set(host, settings)
  assert(host:requests("POST /webrtc/rooms/r1/settings", settings).status == 200)
end

sig.test("a locked room refuses, but lets its moderators come back", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests "POST /webrtc/rooms/r1/roles/bob?role=moderator"
  set(ann, { lock_room = true })
  local eve = t:client "eve"
  eve:joins "r1"
  eve:is_refused "ROOM_LOCKED"
  eve:is_closed(1008)
  bob:leaves()
  assert(bob:joins("r1").payload.self.role == "moderator")
end)

sig.test("a lost connection is no new one: it resumes behind the lock", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  set(ann, { lock_room = true })
  bob:drops()
  assert(bob:resumes().payload.resumed)
end)

sig.test("an empty room locks nobody out, and is locked again when its host is back", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  set(ann, { lock_room = true, max_participants = 1 })
  bob:leaves()
  ann:leaves()
  assert(bob:joins("r1").payload.self.role == "host")
  local eve = t:client "eve"
  eve:joins "r1"
  eve:is_refused "ROOM_LOCKED"
end)

sig.test("nobody new comes in while the host's connection is lost, where the host is required", function(t)
  local ann = scene.call(t, "ann")
  set(ann, { require_host_to_start = true })
  ann:drops()
  local bob = t:client "bob"
  bob:joins "r1"
  assert(bob:is_refused("HOST_NOT_HERE").payload.details.retry_after == 10)
  ann:resumes()
  bob:joins "r1"
end)
