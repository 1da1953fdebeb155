-- Nobody offers more than five files at once, in all rooms together: std.file_transfer counts those of one room, this policy the others.
-- A POST waits until the database has said how many there are. A message waits for no database: an offer that was one too many ends a
-- moment later, and both sides are told.
local sig = require "lunasig"

sig.policy { name = "std.file_limit", api = 1 }
sig.use "std.files"
local transfer = require "std.file_transfer"

local moment = 0.3 -- seconds: what an offer by message needs to be written down, and those of other rooms

sig.room_state { fresh = sig.set { max = 60 } } -- transfers that were offered by message, not yet counted

local limit = {}

-- By how many somebody's open offers exceed what he may have. Waits for the database; while it fails, this room alone counts.
function limit.excess(room, user_id)
  local found, all = pcall(transfer.of_user, user_id)
  local count = 0
  for _, entry in ipairs(found and all or {}) do
    if entry.sender_id == user_id and entry.room_id ~= room.id and not entry.completed_at then count = count + 1 end
  end
  return count + transfer.open_offers(room, user_id) - transfer.open_of_user_max
end

sig.on("message:file-share-offer", function(room, _, message)
  local id = message:get "transfer_id"
  if not transfer.find(room, id) then return end
  room.state.fresh:add(id)
  room:after(moment, "file-limit")
end)

sig.on("timer:file-limit", function(room)
  for _, id in ipairs(room.state.fresh:copy()) do
    room.state.fresh:remove(id)
    local entry = transfer.find(room, id)
    if entry and limit.excess(room, entry.sender_id) > 0 then
      entry = transfer.find(room, id) -- it may have ended meanwhile
      if entry then transfer.save(room, transfer.fail(room, entry, "failed", transfer.enough)) end
    end
  end
end)

return limit
