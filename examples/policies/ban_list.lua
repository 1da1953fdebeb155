-- A ban list: hosts and moderators ban from their room, for good or for some minutes, and lift bans. It is on disk (sig.store), so that
-- it outlives the room and the server.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "ban_list", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat" }

local bans = sig.store "bans"

local function key(room, user_id)
  return room.id .. "/" .. user_id
end

sig.on("join", function(room, member)
  local ban = bans:get(key(room, member.id))
  if not ban then return end
  local left = ban.until_s and { retry_after = math.ceil(ban.until_s - sig.now()) } or nil
  return sig.deny("BANNED", ban.reason, left)
end)

sig.type "ban" {
  from = { "host", "moderator" },
  to = "server",
  payload = sig.object {
    user_id = field.id,
    reason = sig.string { max = 100, optional = true },
    minutes = sig.integer { min = 1, max = 525600, optional = true },
  },
}

sig.on("message:ban", function(room, member, message)
  local order = message.payload
  local role = room:role_of(order.user_id)
  if role == "host" or role == "moderator" then
    return sig.deny("NOT_THIS_ONE", "hosts and moderators cannot be banned", { user_id = order.user_id, role = role })
  end
  local seconds = order.minutes and order.minutes * 60
  local ban = { reason = order.reason or "you are banned from this room", by = member.id, until_s = seconds and sig.now() + seconds }
  bans:put(key(room, order.user_id), ban, seconds and { ttl = seconds } or nil) -- waits: who is here is looked up behind it
  local there = room:member(order.user_id)
  if there then there:kick(ban.reason) end
end)

sig.type "unban" { from = { "host", "moderator" }, to = "server", payload = sig.object { user_id = field.id } }

sig.on("message:unban", function(room, _, message)
  local user_id = message.payload.user_id
  if not bans:remove(key(room, user_id)) then return sig.deny("NOT_BANNED", "nobody of that name is banned", { user_id = user_id }) end
end)
