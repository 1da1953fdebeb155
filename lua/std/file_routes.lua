-- File transfers over HTTP, on the state of std.file_transfer. The other side hears of it by the messages of std.files.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local may = require "lunasig.may"
local rule = require "lunasig.file_rule"

sig.policy { name = "std.file_routes", api = 1 }
sig.use "std.files"
local transfer = require "std.file_transfer"

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
  if not sender then return 403, { detail = "You are not in this room" } end
  if not may.permission(room, sender.id, "can_share_files") or may.setting(room, "enable_file_sharing") == false then
    return 403, { detail = "You may not share files in this room" }
  end
  if not receiver then return 404, { detail = "The receiver is not in this room" } end
  if receiver.id == sender.id then return 400, { detail = "The receiver is you", code = "FILE_VALIDATION_FAILED" } end
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
  if not entry then return 400, { detail = why, code = code } end
  receiver:send("file-share-offer", {
    transfer_id = entry.transfer_id,
    sender_id = sender.id,
    receiver_id = receiver.id,
    file_name = entry.filename,
    file_size = entry.file_size,
    file_type = entry.mime_type or "",
    chunk_size = chunk_size,
    total_chunks = entry.total_chunks,
    timestamp = entry.started_at,
  }, { from = sender })
  return 200, transfer.save(room, entry, true)
end)

-- The route of a step. `from`: the statuses in which it is possible; `receiver_only`: the sender cannot.
local function step(route, from, receiver_only, act)
  sig.route(route, {}, function(request, room)
    local entry = transfer.find(room, request.params.id)
    if not entry then return 404, { detail = "Not Found" } end
    if not transfer.is_of(entry, request.user) or receiver_only and entry.sender_id == request.user then
      return 403, { detail = "This transfer is not yours" }
    end
    if not from[entry.status] then return 409, { detail = "The transfer is " .. entry.status } end
    return 200, transfer.save(room, act(room, entry, request), true)
  end)
end

-- Tells the other side.
local function tell(room, entry, user_id, type, payload)
  payload.transfer_id, payload.user_id, payload.timestamp = entry.transfer_id, user_id, clock.stamp()
  local other = room:member(entry.sender_id == user_id and entry.receiver_id or entry.sender_id)
  if other then other:send(type, payload, { from = room:member(user_id) }) end
end

step("POST " .. path .. ":id/accept", { pending = true }, true, function(room, entry, request)
  tell(room, entry, request.user, "file-share-accept", {})
  return transfer.step(entry, "active")
end)

step("POST " .. path .. ":id/reject", { pending = true }, true, function(room, entry, request)
  local reason = type(request.body) == "table" and request.body.reason or request.body
  entry.error = type(reason) == "string" and reason ~= "" and reason:sub(1, 200) or "rejected"
  tell(room, entry, request.user, "file-share-reject", { reason = entry.error })
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
  if not shown or shown.room_id ~= room.id then return 404, { detail = "Not Found" } end
  if not transfer.is_of(shown, request.user) then return 403, { detail = "This transfer is not yours" } end
  return 200, shown
end)

-- Those that the bearer sends or gets, in any room, of the last hour.
sig.route("GET /webrtc/file-transfers", { query = { status = sig.string { optional = true } } }, function(request)
  local list = sig.json.array {}
  for _, found in ipairs(sig.store.file_transfers:list { prefix = request.user .. "/", limit = 1000 }) do
    local entry = found.value
    local is_his = entry.sender_id == request.user or entry.receiver_id == request.user
    if is_his and (request.query.status or entry.status) == entry.status then list[#list + 1] = entry end
  end
  return 200, { transfers = list, count = #list }
end)
