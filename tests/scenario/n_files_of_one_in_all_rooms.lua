-- Nobody offers more than five files at once, in all rooms together, by message or over HTTP.
local sig = require "lunasig"
sig.use { "std.presence", "std.file_routes" }

-- Ann in both rooms, with somebody who gets her files.
local function rooms(t)
  local ann1, bob, ann2, eve = t:client "ann", t:client "bob", t:client "ann", t:client "eve"
  ann1:joins "r1"
  bob:joins "r1"
  ann2:joins "r2"
  eve:joins "r2"
  return ann1, bob, ann2, eve
end

local function offers(client, id, to)
  local file = { transfer_id = id, file_name = "a.txt", file_size = 1, file_type = "", chunk_size = 16384, total_chunks = 1 }
  client:sends("file-share-offer", file, to)
end

sig.test("over HTTP the sixth is refused, until one has ended", function(t)
  local ann = rooms(t)
  local function posts(room, to)
    return ann:requests("POST /webrtc/rooms/" .. room .. "/file-transfer/offer", { receiver_id = to, filename = "a.txt", file_size = 1 })
  end
  for _ = 1, 3 do
    assert(posts("r1", "bob").status == 200)
  end
  local last = posts("r2", "eve").body.transfer_id
  assert(posts("r2", "eve").status == 200)
  local answer = posts("r2", "eve")
  assert(answer.status == 409 and answer.body.code == "TOO_MANY_TRANSFERS")
  ann:requests("DELETE /webrtc/rooms/r2/file-transfer/" .. last)
  assert(posts("r2", "eve").status == 200)
end)

sig.test("by message the sixth ends a moment later, and both are told", function(t)
  local ann1, _, ann2, eve = rooms(t)
  for i = 1, 3 do
    offers(ann1, "f" .. i, "bob")
  end
  t:advance "1s"
  offers(ann2, "g1", "eve")
  offers(ann2, "g2", "eve")
  t:advance "1s"
  offers(ann2, "g3", "eve")
  t:advance "1s"
  for _, client in ipairs { ann2, eve } do
    client:receives("file-share-complete", { transfer_id = "g3", success = false, error = t.match "^5 open transfers" })
    client:receives_nothing "file-share-complete"
  end
  offers(ann2, "g1", "eve") -- again: no further one
  t:advance "1s"
  eve:receives_nothing "file-share-complete"
end)

sig.test("without a database each room counts its own, and no offer waits", function(t)
  local ann1, _, ann2, eve = rooms(t)
  t:store "slow"
  for i = 1, 4 do
    offers(ann1, "f" .. i, "bob")
    offers(ann2, "g" .. i, "eve")
    eve:receives("file-share-offer", { transfer_id = "g" .. i })
  end
  t:advance "20s"
  eve:receives_nothing "file-share-complete"
end)
