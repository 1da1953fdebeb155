-- Transfers over HTTP are paused, resumed, cancelled and listed, by those who have to do with them.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.file_routes" }

local path = "/webrtc/rooms/r1/file-transfer/"

local function offers(ann, to)
  local file = { receiver_id = to or "bob", filename = "a.bin", file_size = 150000, mime_type = "image/png" }
  local answer = ann:requests("POST " .. path .. "offer", file)
  assert(answer.status == 200)
  return answer.body
end

sig.test("accept, pause, resume and cancel", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local id = offers(ann).transfer_id
  assert(ann:requests("POST " .. path .. id .. "/pause").status == 409)
  assert(bob:requests("POST " .. path .. id .. "/accept").body.status == "active")
  ann:receives { type = "file-share-accept", sender_id = "bob", payload = { transfer_id = id } }
  assert(ann:requests("POST " .. path .. id .. "/pause").body.status == "paused")
  bob:receives("file-share-progress", { transfer_id = id, status = "paused" })
  assert(bob:requests("POST " .. path .. id .. "/resume").body.status == "active")
  ann:receives("file-share-progress", { transfer_id = id, status = "active" })
  assert(ann:requests("DELETE " .. path .. id).body.status == "cancelled")
  bob:receives("file-share-complete", { transfer_id = id, success = false, error = "cancelled" })
  assert(ann:requests("DELETE " .. path .. id).status == 404)
end)

sig.test("the list has one's own, in all rooms, by status", function(t)
  local liz, max, joe = scene.call(t, "liz", "max", "joe") -- who has sent nothing in the tests above
  local id = offers(liz, "max").transfer_id
  max:requests("POST " .. path .. id .. "/accept")
  offers(liz, "max")
  for _, client in ipairs { liz, max } do
    assert(client:requests("GET /webrtc/file-transfers").body.count == 2)
    assert(client:requests("GET /webrtc/file-transfers?status=active").body.transfers[1].transfer_id == id)
  end
  assert(joe:requests("GET /webrtc/file-transfers").body.count == 0)
  t:advance "61min"
  assert(liz:requests("GET /webrtc/file-transfers").body.count == 0)
end)

sig.test("refusals", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  local id = offers(ann).transfer_id
  assert(t:request("POST " .. path .. "offer", {}).status == 401 and t:request("GET /webrtc/file-transfers").status == 401)
  assert(ann:requests("POST " .. path .. "offer", { filename = "a.txt" }).status == 422)
  local to = { receiver_id = "max", filename = "a.txt", file_size = 1 }
  assert(ann:requests("POST " .. path .. "offer", to).status == 404)
  assert(t:client("joe"):requests("POST " .. path .. "offer", to).status == 403)
  assert(ann:requests("POST " .. path .. id .. "/accept").status == 403 and eve:requests("POST " .. path .. id .. "/accept").status == 403)
  assert(eve:requests("GET " .. path .. id .. "/progress").status == 403 and eve:requests("DELETE " .. path .. id).status == 403)
  assert(bob:requests("POST " .. path .. "none/accept").status == 404 and bob:requests("GET " .. path .. "none/progress").status == 404)
end)
