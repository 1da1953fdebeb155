-- Files from browser to browser: the offer, the answer, how far it is, and the end.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.files" }

local when = "2026-01-05T12:00:00Z"
local id = "f1"

sig.test("an offer names the file and how long it is", function(t)
  local required = { transfer_id = id, file_name = "a.txt", file_size = 0, file_type = "", total_chunks = 0 }
  local full = { transfer_id = id, file_name = "a.txt", file_size = 9, file_type = "text/plain", total_chunks = 1, chunk_size = 16384 }
  full.sender_id, full.timestamp = "ann", when
  scene.checks_payload(t, "file-share-offer", full, required, {
    { "transfer_id" },
    { "file_name", "" },
    { "file_name", ("n"):rep(1025) },
    { "file_size", -1 },
    { "file_size", 1.5 },
    { "file_type", ("t"):rep(257) },
    { "chunk_size", "big" },
    { "total_chunks" },
    { "extra", true, "payload" },
  })
end)

sig.test("who offers it and when may be said", function(t)
  local required = { transfer_id = id, file_name = "a.txt", file_size = 0, file_type = "", total_chunks = 0 }
  local full = { transfer_id = id, file_name = "a.txt", file_size = 0, file_type = "", total_chunks = 0 }
  full.sender_id, full.timestamp = "ann", when
  scene.checks_payload(t, "file-share-offer", full, required, { { "sender_id", 5 }, { "timestamp", 5 } })
end)

sig.test("it is accepted or rejected", function(t)
  for _, type in ipairs { "file-share-accept", "file-share-reject" } do
    local full = { transfer_id = id, user_id = "bob", timestamp = when }
    scene.checks_payload(t, type, full, { transfer_id = id }, { { "transfer_id" }, { "transfer_id", "" }, { "user_id", 5 } })
  end
end)

sig.test("its progress is counted in chunks and per cent", function(t)
  local required = { transfer_id = id, chunks_received = 0, total_chunks = 4, percentage = 0 }
  local full = { transfer_id = id, chunks_received = 3, total_chunks = 4, percentage = 75.5, timestamp = when }
  scene.checks_payload(t, "file-share-progress", full, required, {
    { "transfer_id" },
    { "chunks_received", -1 },
    { "total_chunks", 0.5 },
    { "percentage" },
    { "percentage", 101 },
    { "percentage", -1 },
  })
end)

sig.test("it is complete, or has failed", function(t)
  local full = { transfer_id = id, success = false, error = "disk full", timestamp = when }
  scene.checks_payload(t, "file-share-complete", full, { transfer_id = id, success = true }, {
    { "success" },
    { "success", "yes" },
    { "error", false },
  })
end)
