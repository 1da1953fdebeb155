-- Keys for end-to-end encryption: to the one they are for, and to nobody else.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.e2ee" }

local exchange = { recipient_user_id = "bob", key_type = "identity_key", public_key = "abc", key_id = "k1" }
local ratchet = { recipient_user_id = "bob", chain_key = "abc", message_number = 0, previous_chain_length = 0 }

local function checks(t, type, required, wrong)
  local full = { sender_user_id = "ann", timestamp = "2026-01-05T12:00:00Z", signature = type == "e2ee-key-exchange" and "s" or nil }
  for name, value in pairs(required) do
    full[name] = value
  end
  scene.checks_payload(t, type, full, required, wrong)
end

sig.test("a key has an owner, a kind and an id", function(t)
  checks(t, "e2ee-key-exchange", exchange, {
    { "key_type", "skeleton_key" },
    { "key_type" },
    { "public_key", "" },
    { "public_key", ("k"):rep(8193) },
    { "key_id" },
    { "signature", 5 },
    { "sender_user_id", 5 },
    { "timestamp", 5 },
    { "extra", true, "payload" },
  })
end)

sig.test("a ratchet has numbers from zero on", function(t)
  checks(t, "e2ee-ratchet-update", ratchet, {
    { "sender_user_id", 5 },
    { "timestamp", 5 },
    { "chain_key", "" },
    { "chain_key", ("k"):rep(8193) },
    { "message_number", -1 },
    { "message_number" },
    { "previous_chain_length", -1 },
    { "previous_chain_length", 0.5 },
  })
end)

sig.test("only the recipient hears of it, whichever kind of key it is", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  for _, kind in ipairs { "identity_key", "signed_pre_key", "one_time_pre_key", "ratchet_key" } do
    ann:sends("e2ee-key-exchange", { recipient_user_id = "bob", key_type = kind, public_key = "abc", key_id = "k1" })
    bob:receives("e2ee-key-exchange", { key_type = kind })
  end
  ann:sends("e2ee-key-exchange", exchange)
  ann:sends("e2ee-ratchet-update", ratchet)
  bob:receives { type = "e2ee-key-exchange", sender_id = "ann" }
  bob:receives { type = "e2ee-ratchet-update", sender_id = "ann" }
  eve:receives_nothing()
end)
