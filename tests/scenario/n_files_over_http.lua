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

sig.test("reject, with a reason", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local answer = bob:requests("POST " .. path .. offers(ann).transfer_id .. "/reject", { reason = "<b>too</b> big" })
  assert(answer.body.status == "cancelled" and answer.body.error == "too big")
  ann:receives("file-share-reject", { reason = "too big" })
end)
