-- Nobody offers more than five files at once; a transfer ends after an hour, or when one of the two leaves.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.files" }

local function offer(id)
  return { transfer_id = id, file_name = "a.pdf", file_size = 100000, file_type = "", chunk_size = 16384, total_chunks = 7 }
end

local function transfer(t)
  return t:state("r1", "std.file_transfer").open.f1
end

sig.test("five open offers of somebody are enough, and an hour is", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for i = 1, 6 do
    ann:sends("file-share-offer", offer("f" .. i), "bob")
  end
  ann:is_refused "TOO_MANY_TRANSFERS"
  ann:sends("file-share-offer", offer "f1", "bob") -- again: no further one
  ann:receives_nothing "error"
  t:advance "61min"
  bob:receives("file-share-complete", { transfer_id = "f1", success = false, error = "an hour is over" })
  assert(transfer(t) == nil)
  ann:sends("file-share-offer", offer "f6", "bob")
  bob:receives("file-share-offer", { transfer_id = "f6" })
end)

sig.test("each has an hour of its own, and an id of at most 100 bytes", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("file-share-offer", offer "f1", "bob")
  t:advance "30min"
  ann:sends("file-share-offer", offer "f2", "bob")
  bob:receives { type = "file-share-complete", payload = { transfer_id = "f1" }, within = "31min" }
  bob:receives_nothing { type = "file-share-complete", within = "28min" }
  bob:receives { type = "file-share-complete", payload = { transfer_id = "f2" }, within = "2min" }
  ann:sends("file-share-offer", offer(("f"):rep(101)), "bob")
  ann:is_refused "FILE_VALIDATION_FAILED"
end)

sig.test("who leaves ends his transfers, and the other is told", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("file-share-offer", offer "f1", "bob")
  ann:leaves()
  bob:receives("file-share-complete", { transfer_id = "f1", success = false, error = "ann has left" })
  assert(transfer(t) == nil)
end)
