-- Settings of a room are read by everybody and changed by its host.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.room_settings", "std.chat" }

local path = "/webrtc/rooms/r1/settings"

sig.test("all are answered, those too that nobody has set", function(t)
  local answer = t:client("eve"):requests(path)
  assert(answer.status == 200 and answer.body.room_id == "r1")
  local settings = answer.body.settings
  for _, name in ipairs { "lock_room", "enable_waiting_room", "mute_on_entry", "disable_video_on_entry", "require_host_to_start" } do
    assert(settings[name] == false, name)
  end
  for _, name in ipairs { "chat", "screen_share", "reactions", "file_sharing", "recording" } do
    assert(settings["enable_" .. name] == true, name)
  end
  assert(settings.allow_participants_rename == true and settings.allow_participants_unmute == true)
  assert(settings.max_participants == nil)
end)

sig.test("a change is merged, answered and announced", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests("POST " .. path, { enable_chat = false })
  local answer = ann:requests("POST " .. path, { max_participants = 3 })
  assert(answer.status == 200 and answer.body.settings.enable_chat == false and answer.body.settings.max_participants == 3)
  bob:receives("room-settings-update", { settings = { max_participants = 3, enable_chat = false, lock_room = false }, updated_by = "ann" })
  assert(bob:requests(path).body.settings.max_participants == 3)
end)

sig.test("the host changes them, nobody else", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  ann:requests "POST /webrtc/rooms/r1/roles/bob?role=moderator"
  assert(bob:requests("POST " .. path, { lock_room = true }).status == 403)
  assert(eve:requests("POST " .. path, { lock_room = true }).status == 403)
  assert(t:client("max"):requests("POST " .. path, { lock_room = true }).status == 403)
end)

sig.test("they outlive the room's members, and its host changes them from outside", function(t)
  local ann = scene.call(t, "ann")
  ann:requests("POST " .. path, { enable_chat = false })
  ann:leaves()
  t:advance "30min"
  assert(ann:requests("POST " .. path, { lock_room = true }).status == 200)
  local settings = ann:requests(path).body.settings
  assert(settings.enable_chat == false and settings.lock_room == true)
end)

sig.test("an answer can be sent back: what is null or no setting is passed over, and all without a limit have none", function(t)
  local ann = scene.call(t, "ann")
  ann:requests("POST " .. path, { max_participants = 3, lock_room = true })
  local settings = ann:requests("POST " .. path, { lock_room = sig.null, colour = "red" }).body.settings
  assert(settings.lock_room == true and settings.max_participants == 3 and settings.colour == nil)
  settings.max_participants = sig.null
  settings = ann:requests("POST " .. path, settings).body.settings
  assert(settings.lock_room == true and settings.max_participants == nil)
end)

sig.test("no token 401, wrong values 422", function(t)
  local ann = scene.call(t, "ann")
  assert(t:request(path).status == 401)
  assert(t:request("POST " .. path, {}).status == 401)
  assert(ann:requests("POST " .. path, { lock_room = "yes" }).status == 422)
  assert(ann:requests("POST " .. path, { max_participants = -1 }).status == 422)
end)
