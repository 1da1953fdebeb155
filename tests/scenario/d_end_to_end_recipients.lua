-- Keys for end-to-end encryption have a recipient who is there, or their sender is told: they never go to everybody.
local sig = require "lunasig"
sig.use { "std.presence", "std.e2ee" }

local exchange = { recipient_user_id = "bob", key_type = "identity_key", public_key = "abc", key_id = "k1" }
local ratchet = { recipient_user_id = "bob", chain_key = "abc", message_number = 0, previous_chain_length = 0 }

local function without_recipient(payload)
  local copy = {}
  for name, value in pairs(payload) do
    copy[name] = name ~= "recipient_user_id" and value or nil
  end
  return copy
end

local function house(t)
  local ann, old, eve = t:client "ann", t:client { user = "old", dialect = "compat" }, t:client "eve"
  ann:joins "r1"
  old:joins "r1"
  eve:joins "r1"
  return ann, old, eve
end

sig.test("when the recipient is not there the sender is told, in both dialects", function(t)
  local ann, old, eve = house(t)
  for _, client in ipairs { ann, old } do
    client:sends("e2ee-key-exchange", exchange)
    client:is_refused "TARGET_NOT_FOUND"
    client:sends("e2ee-ratchet-update", ratchet)
    client:is_refused "TARGET_NOT_FOUND"
  end
  eve:receives_nothing { sender_id = t.any }
end)

sig.test("a key without a recipient is refused, in both dialects", function(t)
  local ann, old, eve = house(t)
  for _, client in ipairs { ann, old } do
    client:sends("e2ee_key_exchange", without_recipient(exchange))
    client:is_refused "INVALID_MESSAGE"
    client:sends("e2ee_ratchet_update", without_recipient(ratchet))
    client:is_refused "INVALID_MESSAGE"
  end
  eve:receives_nothing { sender_id = t.any }
end)

sig.test("the recipient stands in the payload, where both who encrypt can sign it", function(t)
  local ann, _, eve = house(t)
  for type, payload in pairs { ["e2ee-key-exchange"] = exchange, ["e2ee-ratchet-update"] = ratchet } do
    ann:sends(type, without_recipient(payload), "eve")
    assert(ann:is_refused("INVALID_MESSAGE").payload.details.field == "payload.recipient_user_id")
  end
  eve:receives_nothing { sender_id = t.any }
end)
