-- Permissions are read and changed over HTTP, by those who decide about others.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.permissions", "std.chat" }

local path = "/webrtc/rooms/r1/permissions/"

sig.test("all seven are answered, also of whom nothing was said", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local all = bob:requests(path .. "ann").body
  for _, name in ipairs { "can_speak", "can_share_video", "can_share_screen", "can_send_chat", "can_share_files" } do
    assert(all[name] == true and ann:requests(path .. "bob").body[name] == true, name)
  end
  assert(all.can_manage_participants == true and all.can_record == true and all.permissions.can_record == true)
  all = ann:requests(path .. "bob").body
  assert(all.user_id == "bob" and all.can_manage_participants == false and all.can_record == false)
end)

sig.test("a change is merged, answered and announced", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests("POST " .. path .. "bob", { can_send_chat = false })
  local answer = ann:requests("POST " .. path .. "bob", { can_record = true })
  assert(answer.status == 200 and answer.body.success and answer.body.user_id == "bob")
  local now = answer.body.permissions
  assert(now.can_send_chat == false and now.can_record == true and now.can_speak == true)
  bob:receives("permission-updated", { user_id = "bob", updated_by = "ann", permissions = { can_send_chat = false, can_record = false } })
  bob:receives("permission-updated", { user_id = "bob", updated_by = "ann", permissions = now })
  assert(bob:requests(path .. "bob").body.can_record == true)
end)

sig.test("participants change nothing until they are let, and then only below themselves and what they have", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  assert(bob:requests("POST " .. path .. "bob", { can_record = true }).status == 403)
  ann:requests("POST " .. path .. "bob", { can_manage_participants = true })
  assert(bob:requests("POST " .. path .. "eve", { can_send_chat = false }).status == 200)
  assert(bob:requests("POST " .. path .. "eve", { can_record = true }).status == 403)
  assert(bob:requests("POST " .. path .. "ann", { can_send_chat = false }).status == 403)
  assert(bob:requests("POST /webrtc/rooms/r1/roles/eve?role=moderator").status == 403)
  eve:sends("chat-message", { content = "hello" })
  eve:is_refused "PERMISSION_DENIED"
end)

sig.test("nothing can be taken from the host, so that somebody can always decide", function(t)
  local ann = scene.call(t, "ann", "bob")
  local now = ann:requests("POST " .. path .. "ann", { can_manage_participants = false, can_send_chat = false }).body.permissions
  assert(now.can_manage_participants == true and now.can_send_chat == true)
end)

sig.test("an answer can be sent back: nulls and what is no permission are passed over", function(t)
  local ann = scene.call(t, "ann", "bob")
  local all = ann:requests(path .. "bob").body
  all.can_speak, all.can_record, all.can_fly = false, sig.null, true
  local now = ann:requests("POST " .. path .. "bob", all).body.permissions
  assert(now.can_speak == false and now.can_record == false and now.can_send_chat == true and now.can_fly == nil)
end)

sig.test("no token 401, nobody of that name 404, no boolean 422", function(t)
  local ann = scene.call(t, "ann")
  assert(t:request(path .. "ann").status == 401)
  assert(t:request("POST " .. path .. "ann", {}).status == 401)
  assert(ann:requests(path .. "nobody").status == 404)
  assert(ann:requests("POST " .. path .. "nobody", { can_record = true }).status == 404)
  assert(ann:requests("POST " .. path .. "ann", { can_record = "yes" }).status == 422)
end)
