-- A waiting room: who comes waits until a host or a moderator lets him in. Until then nobody hears him and he hears nobody, but hosts
-- and moderators are told that he waits. (He sees who is there: they may want to see him too.)
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "waiting_room", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat", "std.waiting_room" }

local inside = { "host", "moderator", "participant" } -- who waits is an observer

sig.on("join", function(room, member)
  local before = room:role_of(member.id) -- the room remembers who was let in, and lets him in again
  if room.host and (before == nil or before == "observer") then
    room:remember_role(member.id, "observer")
  end
end)

local function keep_inside(room, _, message)
  local receiver = message.receiver
  if not receiver and room:oldest { role = "observer", away = true } then
    message:to { role = inside } -- it is for everybody
  elseif receiver and receiver.role == "observer" then
    return sig.deny("STILL_WAITING", receiver.id .. " has not been let in yet", { user_id = receiver.id })
  end
end

for _, name in ipairs { "offer", "answer", "ice-candidate", "media-control", "screen-share-control", "chat-message" } do
  sig.type.extend(name) { from = inside }
  sig.on("message:" .. name, keep_inside)
end

sig.type "waiting-room-decide" {
  from = { "host", "moderator" },
  to = "server",
  payload = sig.object { user_id = field.id, admit = sig.boolean },
}

sig.on("message:waiting-room-decide", function(room, member, message)
  local decision = message.payload
  local who = room:member(decision.user_id)
  if not who or who.role ~= "observer" then
    return sig.deny("NOT_WAITING", "nobody of that name waits here", { user_id = decision.user_id })
  end
  local answer = { user_id = who.id, actioned_by = member.id }
  if decision.admit then
    who:set_role("participant", { by = member.id })
    room:send("waiting-room-admit", answer)
  else
    who:send("waiting-room-reject", answer)
    who:kick "you were not let in"
  end
end)
