-- File transfers: which there are, and how far they are. Messages (std.files) and HTTP (std.file_routes) act on the same ones. A transfer
-- ends after an hour, or when one of the two leaves, and nobody offers more than five at once. The state has those that are open here;
-- sig.store "file_transfers" has all of the last hour, for each of the two.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local pages = require "lunasig.pages"
local rule = require "lunasig.file_rule"

sig.policy { name = "std.file_transfer", api = 1 }
sig.use "std.records"
local records = require "std.records"

local open_max = 60 -- of a room
local life_s = 3600
local id_max = 100 -- bytes

sig.room_state { open = sig.map { max = open_max } } -- by id

local transfer = { open_of_user_max = 5 } -- that somebody offers here; std.file_limit counts those in other rooms
transfer.enough = ("%d open transfers are enough: wait until one has ended"):format(transfer.open_of_user_max)

local function open_of(room)
  return room:state_of("std.file_transfer").open
end

-- As others see it.
function transfer.shown(room_id, entry)
  local shown, total = { room_id = room_id }, entry.total_chunks
  for name, value in pairs(entry) do
    shown[name] = value
  end
  shown.progress_percent = total > 0 and entry.chunks_received * 100 / total or entry.status == "completed" and 100 or 0
  shown.bytes_transferred = math.min(entry.chunks_received * entry.chunk_size, entry.file_size)
  return shown
end

function transfer.keep(room, entry)
  open_of(room):set(entry.transfer_id, entry.completed_at == nil and entry or nil)
end

-- Keeps it, and writes it down: in hooks later, in routes now.
function transfer.save(room, entry, now)
  transfer.keep(room, entry)
  local shown, left = transfer.shown(room.id, entry), math.max(entry.ends_at - sig.now(), 1)
  for _, user in ipairs { entry.sender_id, entry.receiver_id } do
    local key = user .. "/" .. entry.transfer_id
    if now then
      records.now("file_transfers", key, shown, left)
    else
      records.later(room, "file_transfers", key, shown, left)
    end
  end
  return shown
end

function transfer.find(room, id)
  return type(id) == "string" and #id >= 1 and #id <= id_max and open_of(room):get(id) or nil
end

-- Transfers that somebody sends or gets, of the last hour, in all rooms.
function transfer.of_user(user_id)
  local his = {}
  for _, entry in ipairs(pages.all(sig.store.file_transfers, user_id .. "/")) do
    if entry.sender_id == user_id or entry.receiver_id == user_id then his[#his + 1] = entry end
  end
  return his
end

-- How many somebody offers here.
function transfer.open_offers(room, user_id)
  local count = 0
  for _, entry in open_of(room):each() do
    if entry.sender_id == user_id then count = count + 1 end
  end
  return count
end

-- Somebody who sends or gets it; an offer without a receiver is for everybody.
function transfer.is_of(entry, user_id)
  return entry.sender_id == user_id or entry.receiver_id == nil or entry.receiver_id == user_id
end

-- A new offer: { transfer_id, sender_id, receiver_id, filename, file_size, mime_type, chunk_size, total_chunks }. nil, a code and why: it
-- cannot be.
function transfer.offer(room, offer)
  local open, id = open_of(room), offer.transfer_id
  local before = transfer.find(room, id) -- the same file may be offered to several, one after the other
  local problem = rule.problem(offer.filename, offer.file_size, offer.mime_type)
  if not problem and (type(id) ~= "string" or #id == 0 or #id > id_max) then
    problem = ("a transfer_id has 1 to %d bytes"):format(id_max)
  elseif not problem and offer.total_chunks ~= rule.chunks(offer.file_size, offer.chunk_size) then
    problem = "the number of chunks and their size do not make the size of the file"
  elseif not problem and before and before.sender_id ~= offer.sender_id then
    problem = "there is a transfer of this id already"
  end
  if problem then return nil, "FILE_VALIDATION_FAILED", problem end
  if before then
    offer.receiver_id = before.receiver_id == offer.receiver_id and offer.receiver_id or nil
  elseif transfer.open_offers(room, offer.sender_id) >= transfer.open_of_user_max or open:count() >= open_max then
    return nil, "TOO_MANY_TRANSFERS", transfer.enough
  end
  offer.status, offer.chunks_sent, offer.chunks_received = "pending", 0, 0
  offer.started_at, offer.ends_at = clock.stamp(), sig.now() + life_s
  open:set(id, offer)
  if not room:timer "file-transfers" then room:after(life_s, "file-transfers") end
  return offer
end

-- Gives it another status, and says since when.
function transfer.step(entry, status)
  entry.status = status
  local at = ({ active = "accepted_at", paused = "paused_at" })[status] or "completed_at"
  entry[at] = entry[at] or clock.stamp()
  return entry
end

-- Ends one, and tells whoever else has to do with it.
function transfer.fail(room, entry, status, why, by)
  entry.error = why
  transfer.step(entry, status)
  local said = { transfer_id = entry.transfer_id, success = false, error = why, timestamp = clock.stamp() }
  for _, member in ipairs(room:members()) do
    if member.id ~= by and transfer.is_of(entry, member.id) then member:send("file-share-complete", said) end
  end
  return entry
end

sig.on("leave", function(room, member)
  for _, entry in open_of(room):each() do
    if entry.sender_id == member.id or entry.receiver_id == member.id then
      transfer.save(room, transfer.fail(room, entry, "failed", member.id .. " has left", member.id))
    end
  end
end)

sig.on("timer:file-transfers", function(room)
  local next_s
  for _, entry in open_of(room):each() do
    local left_s = entry.ends_at - sig.now()
    if left_s <= 0 then
      transfer.save(room, transfer.fail(room, entry, "failed", "an hour is over"))
    else
      next_s = math.min(next_s or left_s, left_s)
    end
  end
  if next_s then room:after(next_s, "file-transfers") end
end)

return transfer
