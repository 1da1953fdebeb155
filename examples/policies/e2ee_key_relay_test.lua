local sig = require "lunasig"

sig.use "e2ee_key_relay"

local function key_of(name)
  return ("public key of %s "):format(name):rep(3)
end

-- Ann and Bob have said their keys, Eve has not.
local function call(t)
  local ann, bob, eve = t:client "ann", t:client "bob", t:client "eve"
  ann:joins "r1"
  bob:joins "r1"
  eve:joins "r1"
  ann:sends("identity-key", { public_key = key_of "ann" })
  bob:sends("identity-key", { public_key = key_of "bob" })
  return ann, bob, eve
end

local function exchange(with)
  return { recipient_user_id = with, key_type = "ratchet_key", public_key = "wrapped for " .. with, key_id = "k1" }
end

sig.test("everybody learns the keys, who comes later too", function(t)
  local _, _, eve = call(t)
  eve:receives { type = "identity-key", sender_id = "ann", payload = { public_key = key_of "ann" } }
  local kept = t:client("max"):joins("r1").payload.kept
  assert(kept[1].sender_id == "ann" and kept[2].sender_id == "bob")
end)

sig.test("a key cannot be changed while its owner is here", function(t)
  local ann, bob = call(t)
  bob:sends("identity-key", { public_key = key_of "mallory" })
  bob:is_refused "KEY_PINNED"
  for _ = 1, 2 do
    bob:sends("identity-key", { public_key = key_of "mallory" })
  end
  bob:is_refused "RATE_LIMIT_EXCEEDED"
  ann:receives { type = "identity-key", sender_id = "bob" }
  ann:receives_nothing "identity-key"
  t:advance "2s"
  bob:leaves()
  bob:joins "r1"
  bob:sends("identity-key", { public_key = key_of "bob's new browser" })
  ann:receives { type = "identity-key", sender_id = "bob" }
end)

sig.test("a key for Bob reaches Bob alone, whatever the target says", function(t)
  local ann, bob, eve = call(t)
  ann:sends("e2ee-key-exchange", exchange "bob", "eve")
  bob:receives { type = "e2ee-key-exchange", sender_id = "ann", payload = { public_key = "wrapped for bob" } }
  eve:receives_nothing "e2ee-key-exchange"
end)

sig.test("no key goes to somebody without one, from somebody without one, or to nobody", function(t)
  local ann, _, eve = call(t)
  ann:sends("e2ee-key-exchange", exchange "eve")
  ann:is_refused "NO_KEY_OF_RECIPIENT"
  ann:sends("e2ee-key-exchange", exchange "max")
  ann:is_refused "TARGET_NOT_FOUND"
  eve:sends("e2ee-key-exchange", exchange "bob")
  eve:is_refused "NO_KEY"
end)

sig.test("what is said is sealed", function(t)
  local ann, bob, eve = call(t)
  ann:sends("sealed-message", { ciphertext = "9f2c", nonce = "0123456789abcdef" })
  bob:receives("sealed-message", { ciphertext = "9f2c" })
  ann:sends("chat-message", { content = "in the open" })
  ann:is_refused "NOT_SEALED"
  eve:sends("sealed-message", { ciphertext = "00", nonce = "0123456789abcdef" })
  eve:is_refused "NO_KEY"
  bob:receives_nothing "chat-message"
end)
