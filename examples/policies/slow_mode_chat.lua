-- Slow mode: in between two chat messages of one member there is a pause, 30 seconds at first, which the host may set. Hosts and
-- moderators write when they like. (A pause that never changes and holds for all needs no hook:
-- sig.type.extend "chat-message" { rate = "2/min burst 1 per user" }.)
local sig = require "lunasig"

sig.policy { name = "slow_mode_chat", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat" }

local writers_max = 200

sig.room_state {
  pause_s = sig.value { type = sig.integer { min = 0, max = 3600 }, default = 30 },
  next_s = sig.map { max = writers_max, value = sig.number }, -- when each may write again, also when he left and returned
}

sig.type "slow-mode" { from = "host", payload = sig.object { seconds = sig.integer { min = 0, max = 3600 } }, keep = "latest" }

sig.on("message:slow-mode", function(room, _, message)
  room.state.pause_s = message.payload.seconds
  room.state.next_s:clear()
end)

local function forget_old(next_s, now)
  for id, at in next_s:each() do
    if at <= now then next_s:remove(id) end
  end
end

sig.on("message:chat-message", function(room, member)
  local pause_s, next_s, now = room.state.pause_s, room.state.next_s, sig.now()
  if pause_s == 0 or member.role == "host" or member.role == "moderator" then return end
  local wait_s = math.ceil((next_s:get(member.id) or now) - now)
  if wait_s > 0 then
    return sig.deny("SLOW_MODE", ("one message in %d s: wait %d s"):format(pause_s, wait_s), { retry_after = wait_s, pause = pause_s })
  end
  if next_s:count() == writers_max then forget_old(next_s, now) end
  next_s:set(member.id, now + pause_s)
end)
