-- An auction, with message types of its own: the host opens it, everybody else bids, and who bids more than all others before the time
-- is up gets the lot. A bid in the last ten seconds gives the others ten more.
local sig = require "lunasig"

sig.policy { name = "auction", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat" }

local amount = sig.integer { min = 1, max = 1000000000 } -- cents
local last_s = 10

sig.room_state { lot = sig.value { type = sig.object } } -- what is sold now: { item, price, bidder }; nil: nothing

sig.type "auction-open" {
  from = "host",
  to = "server",
  payload = sig.object { item = sig.string { min = 1, max = 200 }, price = amount, seconds = sig.integer { min = 5, max = 3600 } },
}
sig.type "bid" {
  from = { "moderator", "participant" },
  to = "server",
  payload = sig.object { amount = amount },
  rate = "2/s burst 4 per user",
}
sig.type "auction-state" { from = "server", keep = "latest" }

local function tell(room, lot, over)
  local bidder = lot.bidder or sig.null
  room:send("auction-state", { item = lot.item, price = lot.price, bidder = bidder, over = over, seconds = room:timer "hammer" })
end

sig.on("message:auction-open", function(room, _, message)
  if room.state.lot then return sig.deny("AUCTION_OPEN", "an auction goes on already: " .. room.state.lot.item) end
  local lot = { item = message.payload.item, price = message.payload.price }
  room.state.lot = lot
  room:after(message.payload.seconds, "hammer")
  tell(room, lot, false)
end)

sig.on("message:bid", function(room, member, message)
  local lot, bid = room.state.lot, message.payload.amount
  if not lot then return sig.deny("NO_AUCTION", "nothing is for sale now") end
  local least = lot.bidder and lot.price + 1 or lot.price
  if bid < least then return sig.deny("BID_TOO_LOW", ("bid %d or more"):format(least), { least = least }) end
  if lot.bidder == member.id then return sig.deny("BID_IS_YOURS", "the highest bid is yours already") end
  lot.price, lot.bidder = bid, member.id
  room.state.lot = lot -- reading gave a copy
  if room:timer "hammer" < last_s then room:after(last_s, "hammer") end
  tell(room, lot, false)
end)

sig.on("timer:hammer", function(room)
  local lot = room.state.lot
  room.state.lot = nil
  tell(room, lot, true)
end)
