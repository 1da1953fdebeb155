-- A waiting room that is always open: who comes for the first time waits until a host or a moderator lets him in, by a message. Until then
-- nobody hears him and he hears nobody; hosts and moderators are told that he waits. (std.waiting_room tells them, and lets in over HTTP.)
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "waiting_room", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat", "std.waiting_room" }

sig.on("join", function(room, member)
  local was_in = room:role_of(member.id) -- the room remembers whoever was let in, and nobody else
  if room.host and not was_in then member.waiting = true end
end)

sig.type "waiting-room-decide" {
  from = { "host", "moderator" },
  to = "server",
  payload = sig.object { user_id = field.id, admit = sig.boolean },
}

sig.on("message:waiting-room-decide", function(room, member, message)
  local decision = message.payload
  local who = room:member(decision.user_id)
  if not who or not who.waiting then
    return sig.deny("NOT_WAITING", "nobody of that name waits here", { user_id = decision.user_id })
  end
  local answer = { user_id = who.id, actioned_by = member.id }
  if decision.admit then
    who.waiting = false
    room:send("waiting-room-admit", answer)
  else
    who:send("waiting-room-reject", answer)
    who:kick "you were not let in"
  end
end)
