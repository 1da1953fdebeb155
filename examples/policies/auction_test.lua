local sig = require "lunasig"

sig.use "auction"

-- Ann sells a vase: from 100 on, for a minute.
local function sale(t)
  local ann, bob, eve = t:client "ann", t:client "bob", t:client "eve"
  ann:joins "r1"
  bob:joins "r1"
  eve:joins "r1"
  ann:sends("auction-open", { item = "vase", price = 100, seconds = 60 })
  bob:receives_nothing "auction-open" -- the server says what is for sale
  return ann, bob, eve
end

sig.test("the highest bid gets the lot when the time is up", function(t)
  local ann, bob, eve = sale(t)
  bob:sends("bid", { amount = 100 })
  eve:sends("bid", { amount = 120 })
  ann:receives("auction-state", { item = "vase", price = 120, bidder = "eve", over = false })
  ann:receives_nothing "bid" -- the server says what became of it
  ann:receives { type = "auction-state", payload = { price = 120, bidder = "eve", over = true }, within = "60s" }
  bob:sends("bid", { amount = 200 })
  bob:is_refused "NO_AUCTION"
end)

sig.test("a bid has to be above the last one, and nobody outbids himself", function(t)
  local _, bob, eve = sale(t)
  bob:sends("bid", { amount = 99 })
  bob:is_refused "BID_TOO_LOW"
  bob:sends("bid", { amount = 150 })
  eve:sends("bid", { amount = 150 })
  local refusal = eve:is_refused "BID_TOO_LOW"
  assert(refusal.payload.details.least == 151)
  bob:sends("bid", { amount = 200 })
  bob:is_refused "BID_IS_YOURS"
end)

sig.test("a bid in the last ten seconds gives the others ten more", function(t)
  local ann, bob, eve = sale(t)
  t:advance "55s"
  bob:sends("bid", { amount = 100 })
  t:advance "9s"
  eve:sends("bid", { amount = 101 })
  ann:receives_nothing { type = "auction-state", payload = { over = true }, within = "9s" }
  ann:receives { type = "auction-state", payload = { bidder = "eve", over = true }, within = "2s" }
end)

sig.test("the host opens one auction at a time, and does not bid", function(t)
  local ann, bob = sale(t)
  ann:sends("auction-open", { item = "chair", price = 1, seconds = 60 })
  ann:is_refused "AUCTION_OPEN"
  ann:sends("bid", { amount = 1000 })
  ann:is_refused "PERMISSION_DENIED"
  bob:sends("auction-open", { item = "chair", price = 1, seconds = 60 })
  bob:is_refused "PERMISSION_DENIED"
end)

sig.test("a bid is a whole number, and nobody announces the result himself", function(t)
  local _, bob = sale(t)
  bob:sends("bid", { amount = 100.5 })
  bob:is_refused "INVALID_MESSAGE"
  for _ = 1, 4 do
    bob:sends("bid", { amount = 1 })
  end
  bob:is_refused "RATE_LIMIT_EXCEEDED"
  bob:sends("auction-state", { item = "vase", bidder = "bob", over = true })
  bob:is_refused "FORBIDDEN_TYPE"
end)

sig.test("who comes later knows what is for sale; what nobody wants is sold to nobody", function(t)
  local ann = sale(t)
  assert(t:client("max"):joins("r1").payload.kept[1].payload.item == "vase")
  t:advance "1min"
  ann:receives("auction-state", { over = true, price = 100 })
  assert(t:state("r1", "auction").lot == nil)
end)
