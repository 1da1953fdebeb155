-- What the server itself says: a client that sends one of these is refused.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.presence", api = 1 }

local function announced(name, alias, payload)
  sig.type(name) { from = "server", alias = alias, payload = payload and sig.object(payload, { extra = true }) }
end

announced("user-joined", "user_joined", { user_id = field.id, username = field.text, timestamp = field.timestamp })
announced("user-left", "user_left", { user_id = field.id, username = field.text, timestamp = field.timestamp, reason = field.text })
announced("room-state", "room_state", {
  room_id = field.id,
  participants = sig.array(sig.object),
  participant_count = sig.integer { min = 0 },
})
announced("error", nil, { code = sig.string, message = sig.string, details = sig.any { optional = true } })

-- lunasig.v1
announced("user-away", "user_away", { user_id = field.id, revision = sig.integer, timestamp = field.timestamp })
announced("user-back", "user_back", { user_id = field.id, revision = sig.integer, timestamp = field.timestamp })
announced("peer-joined", "peer_joined", { user_id = field.id, peer_id = sig.string, join_seq = sig.integer })
announced("peer-left", "peer_left", { user_id = field.id, peer_id = sig.string, join_seq = sig.integer })
announced("token-expiring", "token_expiring", { expires_at = sig.integer })
announced("token-refreshed", "token_refreshed", { expires_at = sig.integer })
announced("ice-servers", "ice_servers")
announced("draining")
announced("ack", nil, { id = sig.integer { min = 1 } })
announced("pong")
