-- File transfers over HTTP, on the state of std.file_transfer. The other side hears of each step by a message of std.files. Only who
-- sends or gets a file decides about it; what was offered to everybody, anybody in the room may accept.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local may = require "lunasig.may"
local answer = require "lunasig.answer"
local rule = require "lunasig.file_rule"
local text = require "lunasig.text"

sig.policy { name = "std.file_routes", api = 1 }
sig.use "std.file_limit"
local limit = require "std.file_limit"
local transfer = require "std.file_transfer"
local refused = answer.refused

local chunk_size = 65536
local path = "/webrtc/rooms/:room/file-transfer/"

local offer = sig.object({
  receiver_id = sig.string { min = 1, max = 256 },
  filename = sig.string { min = 1, max = 1024 },
  file_size = sig.integer { min = 0 },
  mime_type = sig.string { max = 255, optional = true, null = true },
}, { extra = true })

sig.route("POST " .. path .. "offer", { body = offer, rate = "2/s burst 10 per user" }, function(request, room)
  local body, sender, receiver = request.body, room:member(request.user), room:member(request.body.receiver_id)
  if not sender then return refused(403, "You are not in this room") end
  if not may.share_files(room, sender.id) then return refused(403, "You may not share files in this room") end
  if not receiver or may.waits(room, receiver.id) then return refused(404, "The receiver is not in this room") end
  if receiver.id == sender.id then return answer.invalid("receiver_id", "The receiver is you", "FILE_VALIDATION_FAILED") end
  if limit.excess(room, sender.id) >= 0 then return refused(409, transfer.enough, "TOO_MANY_TRANSFERS") end
  local entry, code, why = transfer.offer(room, {
    transfer_id = sig.random.id(),
    sender_id = sender.id,
    receiver_id = receiver.id,
    filename = body.filename,
    file_size = body.file_size,
    mime_type = body.mime_type,
    chunk_size = chunk_size,
    total_chunks = rule.chunks(body.file_size, chunk_size),
  })
  if not entry and code == "TOO_MANY_TRANSFERS" then return refused(409, why, code) end
  if not entry then return answer.invalid("filename", why, code) end
  receiver:send("file-share-offer", {
    transfer_id = entry.transfer_id,
    sender_id = sender.id,
    receiver_id = receiver.id,
    file_name = entry.filename,
    filename = entry.filename, -- the original service has these names here
    file_size = entry.file_size,
    file_type = entry.mime_type or "",
    mime_type = entry.mime_type,
    chunk_size = chunk_size,
    total_chunks = entry.total_chunks,
    timestamp = entry.started_at,
  }, { from = sender })
  return 200, transfer.save(room, entry, true)
end)

local function is_his(entry, user)
  return entry.sender_id == user or entry.receiver_id == user
end

-- The route of a step. `from`: the statuses in which it is possible; `answers`: it is for those who were offered the file.
local function step(route, from, answers, act)
  sig.route(route, {}, function(request, room)
    local entry, user = transfer.find(room, request.params.id), request.user
    if not entry then return refused(404) end
    local open_to_him = answers and not entry.receiver_id and room:member(user) and not may.waits(room, user)
    if not (open_to_him or is_his(entry, user)) or answers and entry.sender_id == user then
      return refused(403, "This transfer is not yours")
    end
    if not from[entry.status] then return refused(409, "The transfer is " .. entry.status) end
    return 200, transfer.save(room, act(room, entry, request), true)
  end)
end

-- Tells the other side.
local function tell(room, entry, user_id, type, payload)
  payload.transfer_id, payload.user_id, payload.timestamp = entry.transfer_id, user_id, clock.stamp()
  payload.receiver_id = entry.receiver_id
  local other = room:member(entry.sender_id == user_id and entry.receiver_id or entry.sender_id)
  if other then other:send(type, payload, { from = room:member(user_id) }) end
end

step("POST " .. path .. ":id/accept", { pending = true }, true, function(room, entry, request)
  tell(room, entry, request.user, "file-share-accept", {})
  return transfer.step(entry, "active")
end)

step("POST " .. path .. ":id/reject", { pending = true }, true, function(room, entry, request)
  local reason = type(request.body) == "table" and request.body.reason or request.body
  reason = text.name(reason) or "rejected"
  tell(room, entry, request.user, "file-share-reject", { reason = reason })
  if not entry.receiver_id then return entry end -- another may want it
  entry.error = reason
  return transfer.step(entry, "cancelled")
end)

for action, change in pairs { pause = { from = "active", to = "paused" }, resume = { from = "paused", to = "active" } } do
  step("POST " .. path .. ":id/" .. action, { [change.from] = true }, false, function(room, entry, request)
    local done, total = entry.chunks_received, entry.total_chunks
    local said = { chunks_received = done, total_chunks = total, percentage = total > 0 and done * 100 / total or 0, status = change.to }
    tell(room, entry, request.user, "file-share-progress", said)
    return transfer.step(entry, change.to)
  end)
end

step("DELETE " .. path .. ":id", { pending = true, active = true, paused = true }, false, function(room, entry, request)
  return transfer.fail(room, entry, "cancelled", "cancelled", request.user)
end)

sig.route("GET " .. path .. ":id/progress", {}, function(request, room)
  local entry = transfer.find(room, request.params.id)
  local shown = entry and transfer.shown(room.id, entry)
  shown = shown or sig.store.file_transfers:get(request.user .. "/" .. request.params.id)
  if not shown or shown.room_id ~= room.id then return refused(404) end
  if not (is_his(shown, request.user) or shown.receiver_id == nil and room:member(request.user)) then
    return refused(403, "This transfer is not yours")
  end
  return 200, shown
end)

-- Those that the bearer sends or gets, in any room, of the last hour.
sig.route("GET /webrtc/file-transfers", { query = { status = sig.string { optional = true } } }, function(request)
  local list = sig.json.array {}
  for _, entry in ipairs(transfer.of_user(request.user)) do
    if (request.query.status or entry.status) == entry.status then list[#list + 1] = entry end
  end
  return 200, { transfers = list, count = #list }
end)
