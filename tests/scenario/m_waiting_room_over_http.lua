-- Who waits, and who decides about it, over HTTP; and when all who wait are in.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.room_settings", "std.waiting_room", "std.permissions", "std.chat" }

local path = "/webrtc/rooms/r1/waiting-room"

local function waiting(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests("POST /webrtc/rooms/r1/settings", { enable_waiting_room = true })
  local eve = t:client "eve"
  eve:joins "r1"
  return ann, bob, eve
end

sig.test("the list has who waits, and is empty when he is in", function(t)
  local ann = waiting(t)
  local list = ann:requests(path)
  assert(list.status == 200 and list.body.room_id == "r1" and list.body.count == 1)
  assert(list.body.participants[1].user_id == "eve" and list.body.participants[1].username == "eve")
  local answer = ann:requests("POST " .. path .. "/eve/admit")
  assert(answer.status == 200 and answer.body.success and answer.body.user_id == "eve" and answer.body.action == "admit")
  list = ann:requests(path)
  assert(list.body.count == 0 and #list.body.participants == 0)
end)

sig.test("who is turned away is told and sent away, and waits when he comes again", function(t)
  local ann, _, eve = waiting(t)
  assert(ann:requests("POST " .. path .. "/eve/reject").body.action == "reject")
  eve:receives("waiting-room-reject", { user_id = "eve", actioned_by = "ann" })
  eve:is_closed(4403)
  assert(ann:requests(path).body.count == 0)
  eve:joins "r1"
  assert(ann:requests(path).body.count == 1)
end)

sig.test("moderators decide too; participants and those who wait do not", function(t)
  local ann, bob, eve = waiting(t)
  assert(bob:requests(path).status == 403)
  assert(bob:requests("POST " .. path .. "/eve/admit").status == 403)
  assert(eve:requests("POST " .. path .. "/eve/admit").status == 403)
  assert(ann:requests("POST /webrtc/rooms/r1/roles/eve?role=moderator").status == 403) -- first she has to be in
  ann:requests "POST /webrtc/rooms/r1/roles/bob?role=moderator"
  assert(bob:requests("POST " .. path .. "/eve/admit").status == 200)
  eve:receives("waiting-room-admit", { actioned_by = "bob" })
end)

sig.test("no token 401, nobody of that name who waits 404", function(t)
  local ann = waiting(t)
  assert(t:request(path).status == 401)
  assert(t:request("POST " .. path .. "/eve/admit").status == 401)
  assert(ann:requests("POST " .. path .. "/bob/admit").status == 404)
  assert(ann:requests("POST " .. path .. "/nobody/reject").status == 404)
end)

sig.test("switching it off lets all in", function(t)
  local ann, _, eve = waiting(t)
  ann:requests("POST /webrtc/rooms/r1/settings", { enable_waiting_room = false })
  eve:receives("waiting-room-admit", { user_id = "eve", actioned_by = "ann" })
  eve:sends("chat-message", { content = "hello" })
  ann:receives("chat-message", { content = "hello" })
end)

sig.test("when nobody is left who could let them in, they are in, and one of them is host", function(t)
  local ann, bob, eve = waiting(t)
  bob:leaves()
  ann:leaves()
  eve:receives("waiting-room-admit", { user_id = "eve" })
  assert(t:room("r1").host == "eve")
  assert(t:client("max"):joins("r1").payload.self.waiting)
end)

sig.test("a host who leaves hands over to somebody who is in", function(t)
  local ann, bob, eve = waiting(t)
  ann:leaves()
  bob:receives("role-updated", { user_id = "bob", role = "host" })
  eve:receives_nothing "waiting-room-admit"
  assert(bob:requests("POST " .. path .. "/eve/admit").status == 200)
end)
