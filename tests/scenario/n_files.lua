-- Files: an offer, what is said of it until it ends, and that only the two say it who have to do with it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.files" }

local function offer(id)
  return { transfer_id = id, file_name = "a.pdf", file_size = 100000, file_type = "", chunk_size = 16384, total_chunks = 7 }
end

local function transfer(t)
  return t:state("r1", "std.file_transfer").open.f1
end

sig.test("an offer, its acceptance, its progress and its end", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("file-share-offer", offer "f1", "bob")
  bob:receives("file-share-offer", { transfer_id = "f1" })
  assert(transfer(t).status == "pending" and transfer(t).receiver_id == "bob")
  bob:sends("file-share-accept", { transfer_id = "f1" }, "ann")
  assert(transfer(t).status == "active")
  bob:sends("file-share-progress", { transfer_id = "f1", chunks_received = 3, total_chunks = 7, percentage = 42 }, "ann")
  ann:sends("file-share-progress", { transfer_id = "f1", chunks_received = 4, total_chunks = 7, percentage = 57 }, "bob")
  assert(transfer(t).chunks_received == 3 and transfer(t).chunks_sent == 4)
  bob:sends("file-share-progress", { transfer_id = "f1", chunks_received = 8, total_chunks = 8, percentage = 100 }, "ann")
  bob:is_refused "FILE_VALIDATION_FAILED"
  bob:sends("file-share-complete", { transfer_id = "f1", success = true }, "ann")
  ann:receives("file-share-complete", { success = true })
  assert(transfer(t) == nil)
end)

sig.test("nobody answers for another", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  ann:sends("file-share-offer", offer "f1", "bob")
  for _, step in ipairs { "accept", "reject" } do
    eve:sends("file-share-" .. step, { transfer_id = "f1" })
    eve:is_refused "PERMISSION_DENIED"
    ann:sends("file-share-" .. step, { transfer_id = "f1" })
    ann:is_refused "PERMISSION_DENIED"
  end
  eve:sends("file-share-complete", { transfer_id = "f1", success = true })
  eve:is_refused "PERMISSION_DENIED"
  eve:sends("file-share-offer", offer "f1", "bob")
  eve:is_refused "FILE_VALIDATION_FAILED"
  bob:sends("file-share-reject", { transfer_id = "f1" }, "ann")
  ann:receives "file-share-reject"
  assert(transfer(t) == nil)
end)
