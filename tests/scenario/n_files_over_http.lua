-- File transfers over HTTP: the same ones as those of messages.
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

sig.test("an offer by POST is heard by its receiver alone, and answered by a message", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  local entry = offers(ann)
  assert(entry.room_id == "r1" and entry.sender_id == "ann" and entry.receiver_id == "bob" and entry.filename == "a.bin")
  assert(entry.file_size == 150000 and entry.mime_type == "image/png" and entry.chunk_size == 65536 and entry.total_chunks == 3)
  assert(entry.status == "pending" and entry.chunks_sent == 0 and entry.chunks_received == 0 and entry.progress_percent == 0)
  local id = entry.transfer_id
  bob:receives { type = "file-share-offer", sender_id = "ann", payload = { transfer_id = id, file_name = "a.bin", total_chunks = 3 } }
  eve:receives_nothing "file-share-offer"
  bob:sends("file-share-accept", { transfer_id = id }, "ann")
  bob:sends("file-share-progress", { transfer_id = id, chunks_received = 1, total_chunks = 3, percentage = 33 }, "ann")
  ann:receives "file-share-progress"
  local progress = ann:requests("GET " .. path .. id .. "/progress").body
  assert(progress.status == "active" and progress.chunks_received == 1 and progress.bytes_transferred == 65536)
  assert(progress.progress_percent > 33 and progress.progress_percent < 34)
  bob:sends("file-share-complete", { transfer_id = id, success = true }, "ann")
  ann:receives "file-share-complete"
  t:advance "1s"
  progress = ann:requests("GET " .. path .. id .. "/progress").body
  assert(progress.status == "completed" and progress.progress_percent == 100)
end)

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

sig.test("reject, with a reason", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local answer = bob:requests("POST " .. path .. offers(ann).transfer_id .. "/reject", { reason = "too big" })
  assert(answer.body.status == "cancelled" and answer.body.error == "too big")
  ann:receives("file-share-reject", { reason = "too big" })
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
