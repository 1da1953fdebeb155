-- A file that is offered to everybody is anybody's, until its sender ends it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.file_routes" }

local function offer(id)
  return { transfer_id = id, file_name = "a.pdf", file_size = 100000, file_type = "", chunk_size = 16384, total_chunks = 7 }
end

local function transfer(t)
  return t:state("r1", "std.file_transfer").open.f1
end

sig.test("an offer to everybody is anybody's, until its sender ends it", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  ann:sends("file-share-offer", offer "f1")
  bob:sends("file-share-accept", { transfer_id = "f1" }, "ann")
  eve:sends("file-share-reject", { transfer_id = "f1" }, "ann")
  bob:sends("file-share-complete", { transfer_id = "f1", success = true }, "ann")
  assert(transfer(t).status == "active")
  ann:sends("file-share-complete", { transfer_id = "f1", success = true })
  eve:receives "file-share-complete"
  assert(transfer(t) == nil)
end)

sig.test("over HTTP anybody in the room accepts it; who is not there, or only got it, decides nothing", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  local path, max = "/webrtc/rooms/r1/file-transfer/f1", t:client "max"
  ann:sends("file-share-offer", offer "f1")
  for _, action in ipairs { "POST /accept", "POST /reject", "POST /pause", "DELETE ", "GET /progress" } do
    local method, rest = action:match "^(%S+) (.*)$"
    assert(max:requests(method .. " " .. path .. rest).status == 403, action)
  end
  assert(bob:requests("POST " .. path .. "/reject").body.status == "pending") -- another may want it
  ann:receives("file-share-reject", { transfer_id = "f1" })
  assert(eve:requests("POST " .. path .. "/accept").body.status == "active")
  assert(bob:requests("DELETE " .. path).status == 403 and bob:requests("POST " .. path .. "/pause").status == 403)
  assert(bob:requests("GET " .. path .. "/progress").status == 200)
  assert(ann:requests("DELETE " .. path).body.status == "cancelled")
  bob:receives("file-share-complete", { transfer_id = "f1", success = false })
end)
