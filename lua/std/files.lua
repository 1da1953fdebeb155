-- Sending files from browser to browser: the offer, the answer, and how far it is. An offer has to pass lunasig/file_rule.lua; what is
-- said of it afterwards has to come from those two who have to do with it. A transfer that nobody knows here is relayed as it comes.
local sig = require "lunasig"
local field = require "lunasig.field"
local rule = require "lunasig.file_rule"
local text = require "lunasig.text"

sig.policy { name = "std.files", api = 1 }
sig.use "std.file_transfer"
local transfer = require "std.file_transfer"

local count = sig.integer { min = 0 }

local function step(name, payload)
  payload.transfer_id = field.id
  payload.timestamp = field.timestamp
  sig.type("file-share-" .. name) {
    absent = "broadcast",
    alias = "file_share_" .. name,
    payload = sig.object(payload),
  }
end

step("offer", {
  sender_id = field.user,
  file_name = sig.string { min = 1, max = 1024 },
  file_size = count,
  file_type = sig.string { max = 256 },
  chunk_size = count { optional = true },
  total_chunks = count,
})
step("accept", { user_id = field.user })
step("reject", { user_id = field.user })
step("progress", { chunks_received = count, total_chunks = count, percentage = sig.number { min = 0, max = 100 } })
step("complete", { success = sig.boolean, error = field.text })

-- Compat clients may leave things out, and name a receiver who never was here: what is there is checked, and the transfer is not followed.
sig.on("message:file-share-offer", function(room, member, message)
  local payload, receiver = message.payload, message.receiver
  local id, name, size, total = payload.transfer_id, payload.file_name, payload.file_size, payload.total_chunks
  if type(id) ~= "string" or name == "" or not (name and size and total) or message.target and not receiver then
    local problem = rule.problem(name ~= "" and name or "file", size or 0, payload.file_type)
    return problem and sig.deny("FILE_VALIDATION_FAILED", problem) or nil
  end
  local chunk_size = payload.chunk_size or 0
  if chunk_size <= 0 then chunk_size = math.max(math.ceil(size / math.max(total, 1)), 1) end
  local entry, code, why = transfer.offer(room, {
    transfer_id = id,
    sender_id = member.id,
    receiver_id = receiver and receiver.id,
    filename = name,
    file_size = size,
    mime_type = payload.file_type,
    chunk_size = chunk_size,
    total_chunks = total,
  })
  if not entry then return sig.deny(code, why) end
  transfer.save(room, entry)
end)

-- What is said of a transfer that is open here. `change` returns how it stands then, or nil where nothing changes.
local function about(name, from_receiver, change)
  sig.on("message:file-share-" .. name, function(room, member, message)
    local entry = transfer.find(room, message:get "transfer_id")
    if not entry then return end
    if not transfer.is_of(entry, member.id) or from_receiver and entry.sender_id == member.id then
      return sig.deny("PERMISSION_DENIED", "this transfer is not yours", { transfer_id = entry.transfer_id })
    end
    local changed, why = change(entry, message.payload, member, room)
    if why then return sig.deny("FILE_VALIDATION_FAILED", why, { transfer_id = entry.transfer_id }) end
    if changed then transfer.save(room, changed) end
  end)
end

about("accept", true, function(entry)
  return entry.status == "pending" and transfer.step(entry, "active") or nil
end)

about("reject", true, function(entry)
  if not entry.receiver_id then return nil end -- another may want it
  entry.error = "rejected"
  return transfer.step(entry, "cancelled")
end)

about("progress", false, function(entry, payload, member, room)
  local chunks = payload.chunks_received
  if type(chunks) ~= "number" then return nil end
  if chunks > entry.total_chunks or chunks % 1 ~= 0 or chunks < 0 then
    return nil, ("the file has %d chunks"):format(entry.total_chunks)
  end
  local whose = entry.sender_id == member.id and "chunks_sent" or "chunks_received"
  entry[whose] = math.max(entry[whose], chunks)
  transfer.keep(room, entry)
  return nil -- what is written down follows with the next step
end)

about("complete", false, function(entry, payload, member)
  if not entry.receiver_id and entry.sender_id ~= member.id then return nil end -- others may still be at it
  entry.error = not payload.success and (text.name(payload.error) or "failed") or nil
  if payload.success then entry.chunks_received, entry.chunks_sent = entry.total_chunks, entry.total_chunks end
  return transfer.step(entry, payload.success and "completed" or "failed")
end)
