-- Files that may not be offered: their names, types and sizes, by messages and over HTTP, whatever the dialect.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.file_routes" }

local mb = 1024 * 1024
local bad_names = {
  "virus.exe", "virus.EXE", "virus.exe.", "virus.exe ", "photo.jpg.scr", "run.sh", "a.b.c.js", "../../etc/passwd", "a/b.txt", "a\\b.txt",
  "<img src=x onerror=alert(1)>.png", "a<b.txt", "..", ". .", "a\27[2J.txt", "photo\226\128\174gpj.exe.txt", ("n"):rep(252) .. ".txt",
}
local good_names = {
  "a.txt", "exe", "report.exe.pdf", "Grüße 你好.pdf", ".profile", "archive.tar.gz", "a b (1).png", "shell.sha", "a <3 b.txt",
}

local function offer(id, name, size, mime)
  return { transfer_id = id, file_name = name, file_size = size or 5, file_type = mime or "text/plain", total_chunks = 1 }
end

sig.test("hostile names are refused", function(t)
  local ann, bob = t:client { user = "ann", dialect = "compat" }, t:client "bob"
  ann:joins "r1"
  bob:joins "r1"
  for _, name in ipairs(bad_names) do
    ann:sends("file_share_offer", offer("f1", name), "bob")
    ann:is_refused "FILE_VALIDATION_FAILED"
    ann:sends("file_share_offer", { file_name = name }) -- nor with what else belongs to it left out
    ann:is_refused "FILE_VALIDATION_FAILED"
    local body = { receiver_id = "bob", filename = name, file_size = 5 }
    local answer = ann:requests("POST /webrtc/rooms/r1/file-transfer/offer", body)
    assert(answer.status == 422 and answer.body.code == "FILE_VALIDATION_FAILED" and answer.body.detail[1].loc[2] == "filename")
    t:advance "1s"
  end
  bob:receives_nothing "file-share-offer"
end)

sig.test("harmless names pass", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, name in ipairs(good_names) do
    ann:sends("file-share-offer", offer("f1", name), "bob")
    bob:receives("file-share-offer", { file_name = name })
  end
end)

sig.test("more than 500 MB, a type that is none, and chunks that do not make the file", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("file-share-offer", offer("f1", "big.zip", 500 * mb), "bob")
  bob:receives("file-share-offer", { file_size = 500 * mb })
  local wrong = offer("f2", "a.txt", 40000)
  wrong.chunk_size, wrong.total_chunks = 16384, 2
  for _, payload in ipairs { offer("f2", "big.zip", 500 * mb + 1), offer("f2", "a.txt", 5, "<script>"), wrong } do
    ann:sends("file-share-offer", payload, "bob")
    ann:is_refused "FILE_VALIDATION_FAILED"
  end
end)
