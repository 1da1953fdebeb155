-- Sending files from browser to browser: the offer, the answer, and how far it is.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.files", api = 1 }

local count = sig.integer { min = 0 }

local function transfer(step, payload)
  payload.transfer_id = field.id
  payload.timestamp = field.timestamp
  sig.type("file-share-" .. step) {
    absent = "broadcast",
    alias = "file_share_" .. step,
    payload = sig.object(payload),
  }
end

transfer("offer", {
  sender_id = field.user,
  file_name = sig.string { min = 1, max = 1024 },
  file_size = count,
  file_type = sig.string { max = 256 },
  chunk_size = count { optional = true },
  total_chunks = count,
})
transfer("accept", { user_id = field.user })
transfer("reject", { user_id = field.user })
transfer("progress", { chunks_received = count, total_chunks = count, percentage = sig.number { min = 0, max = 100 } })
transfer("complete", { success = sig.boolean, error = field.text })
