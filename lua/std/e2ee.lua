-- End-to-end encryption: keys go to the one they are for, and to nobody else. Public keys may also be published over HTTP, for those who
-- come later; they are in sig.store "e2ee_keys" for a week. The server makes no keys, and refuses what looks like a private one.
--
-- The recipient is named by recipient_user_id (or any other name of a target); when he is not there, the sender is told.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local answer = require "lunasig.answer"
local may = require "lunasig.may"
local pages = require "lunasig.pages"

sig.policy { name = "std.e2ee", api = 1 }
local refused = answer.refused

local keys_max = 60 -- of a user in a room
local kept = "168h"
local published = sig.store "e2ee_keys" -- by room, user and key_id

local kinds = { "identity_key", "signed_pre_key", "one_time_pre_key", "ratchet_key" }
local public_key = sig.string { min = 1, max = 8192 }

sig.type "e2ee-key-exchange" {
  to = "target",
  absent = "error",
  alias = "e2ee_key_exchange",
  payload = sig.object {
    sender_user_id = field.user,
    recipient_user_id = field.id,
    key_type = sig.string { one_of = kinds },
    public_key = public_key,
    key_id = field.id,
    signature = field.text,
    timestamp = field.timestamp,
  },
}

sig.type "e2ee-ratchet-update" {
  to = "target",
  absent = "error",
  alias = "e2ee_ratchet_update",
  payload = sig.object {
    sender_user_id = field.user,
    recipient_user_id = field.id,
    chain_key = sig.string { min = 1, max = 8192 },
    message_number = sig.integer { min = 0 },
    previous_chain_length = sig.integer { min = 0 },
    timestamp = field.timestamp,
  },
}

-- PEM (RFC 7468), and the private part of a JSON web key (RFC 7517).
local function is_private(key)
  return type(key) == "string" and (key:find("PRIVATE KEY", 1, true) or key:find '"[dk]"%s*:') ~= nil
end

sig.on("message:e2ee-key-exchange", function(_, _, message)
  if is_private(message:get "public_key") then
    return sig.deny("INVALID_MESSAGE", "this is a private key: it must not leave its device", { field = "payload.public_key" })
  end
end)

-- Whether the bearer belongs to the room: keys are for its members.
local function belongs(room, user)
  return may.role(room, user) ~= nil and not may.waits(room, user)
end

local function prefix(room, user)
  return ("%s/%d:%s/"):format(room.id, #user, user) -- with its length: no user's keys begin as those of another
end

local function keys_of(room, user)
  return sig.json.array(pages.all(published, prefix(room, user)))
end

local key = sig.object({
  key_id = sig.string { min = 1, max = 64 },
  key_type = sig.string { one_of = kinds },
  public_key = public_key,
  signature = sig.string { max = 4096, optional = true, null = true },
}, { extra = true }) -- what is more is dropped

-- The field that has a private key, or nil.
local function private_field(body)
  for name in pairs(body) do
    if name:lower():find("private", 1, true) then return name end
  end
  return is_private(body.public_key) and "public_key" or nil
end

sig.route("POST /webrtc/rooms/:room/e2ee/keys/publish", { body = key, rate = "10/s burst 120 per user" }, function(request, room)
  local user, body = request.user, request.body
  if not belongs(room, user) then return refused(403, "You are not in this room") end
  local private = private_field(body)
  if private then return answer.invalid(private, "this is a private key: it must not leave its device") end
  local mine = prefix(room, user)
  if #mine + #body.key_id > 256 then return answer.invalid("key_id", "it is too long for this user and room") end
  local entry = { user_id = user, key_id = body.key_id, key_type = body.key_type, public_key = body.public_key }
  entry.signature, entry.published_at = body.signature, clock.stamp()
  if published:get(mine .. body.key_id) == nil and #keys_of(room, user) >= keys_max then
    return refused(409, ("You have published %d keys already"):format(keys_max))
  end
  published:put(mine .. body.key_id, entry, { ttl = kept })
  return 200, { success = true, room_id = room.id, user_id = user, key_id = body.key_id }
end)

sig.route("GET /webrtc/rooms/:room/e2ee/keys/:user", {}, function(request, room)
  local user = request.params.user
  if not belongs(room, request.user) then return refused(403, "You are not in this room") end
  local list = keys_of(room, user)
  if #list == 0 then return refused(404) end
  return 200, { room_id = room.id, user_id = user, keys = list, count = #list }
end)

-- One's own, so that nobody can take another's away.
sig.route("DELETE /webrtc/rooms/:room/e2ee/keys/:id", {}, function(request, room)
  local id, mine = request.params.id, prefix(room, request.user)
  if not belongs(room, request.user) then return refused(403, "You are not in this room") end
  if #mine + #id > 256 or not published:remove(mine .. id) then return refused(404) end
  return 200, { success = true, room_id = room.id, key_id = id }
end)
