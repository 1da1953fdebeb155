-- Settings that decide who comes in, and how. An empty room locks nobody out.
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

sig.test("a room has as many seats as its host says; 0 is all that the server has", function(t)
  local ann = scene.call(t, "ann", "bob")
  set(ann, { max_participants = 2 })
  local eve = t:client "eve"
  eve:joins "r1"
  assert(eve:is_refused("ROOM_FULL").payload.details.limit == 2)
  set(ann, { max_participants = 0 })
  eve:joins "r1"
  assert(ann:requests("/webrtc/rooms/r1/settings").body.settings.max_participants == nil)
end)

sig.test("who is to come in silent is told so, and seen so", function(t)
  local ann = scene.call(t, "ann")
  set(ann, { mute_on_entry = true, disable_video_on_entry = true })
  local bob = t:client "bob"
  bob:joins "r1"
  local told = bob:receives "room-settings-update"
  assert(told.payload.settings.mute_on_entry and told.payload.settings.disable_video_on_entry)
  local attr = t:room("r1").members[2].attr
  assert(attr.audio_enabled == false and attr.video_enabled == false)
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
