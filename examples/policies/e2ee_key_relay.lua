-- Keys for end-to-end encryption. A member says his public key when he comes, and it stays the same while he is here: nobody can put
-- another one in its place. Keys for two go to the one they are for and to nobody else. What is said is sealed; open chat is refused,
-- so that no client falls back to it. The server relays keys and sealed messages, and can read neither.
local sig = require "lunasig"

sig.policy { name = "e2ee_key_relay", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat", "std.e2ee" }

sig.type "identity-key" {
  payload = sig.object { public_key = sig.string { min = 32, max = 1024 } },
  keep = "latest per user", -- who comes later finds the keys of all who are here in his room-state
  rate = "1/s burst 3 per user",
}

sig.type "sealed-message" {
  payload = sig.object { ciphertext = sig.string { min = 1, max = 16384 }, nonce = sig.string { min = 16, max = 64 } },
}

sig.on("message:identity-key", function(_, member, message)
  local key = message.payload.public_key
  if member.data.public_key and member.data.public_key ~= key then
    return sig.deny("KEY_PINNED", "your key stays the same while you are here: leave and join to change it")
  end
  member.data.public_key = key
end)

local function has_key(member)
  if not member.data.public_key then return sig.deny("NO_KEY", "send your identity-key first") end
end

sig.on("message:sealed-message", function(_, member)
  return has_key(member)
end)

local function to_recipient(room, member, message)
  local user_id = message.payload.recipient_user_id
  local recipient = room:member(user_id)
  if recipient and not recipient.data.public_key then
    return sig.deny("NO_KEY_OF_RECIPIENT", user_id .. " has not said his key yet", { user_id = user_id })
  end
  message:to(user_id) -- whomever target_id names: the payload is what both sign
  return has_key(member)
end
sig.on("message:e2ee-key-exchange", to_recipient)
sig.on("message:e2ee-ratchet-update", to_recipient)

sig.on("message:chat-message", function()
  return sig.deny("NOT_SEALED", "this room is encrypted: send a sealed-message")
end)
