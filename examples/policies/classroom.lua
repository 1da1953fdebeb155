-- A classroom: what the teacher writes and shows is for everybody. A pupil writes to the teacher alone and shows nothing, until the
-- teacher calls on him, and again when he is thanked. Who teaches stands in the token: {"sub": "ms_smith", "teaches": true, …}.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "classroom", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat" }

local speakers = { "host", "participant" } -- pupils are observers, who is called on is a participant

sig.on("join", function(room, member)
  if member.claims.teaches == true then
    room:remember_role(member.id, "host")
  elseif room.host then
    room:remember_role(member.id, "observer")
  else
    return sig.deny("CLASS_NOT_BEGUN", "the teacher is not here yet", { retry_after = 10 })
  end
end)

sig.on("leave", function(room, member)
  if member.claims.teaches ~= true then return end
  for _, other in ipairs(room:members()) do -- the server has made an heir: a pupil does not inherit the class
    if other.claims.teaches ~= true then other:set_role "observer" end
  end
end)

for _, name in ipairs { "media-control", "screen-share-control" } do
  sig.type.extend(name) { from = speakers }
end

sig.on("message:chat-message", function(room, member, message)
  if member.role ~= "observer" then return end
  if not room.host then return sig.deny("TEACHER_AWAY", "the teacher has left") end
  message:to(room.host)
end)

sig.type "call-on" {
  from = "host",
  to = "server",
  payload = sig.object { user_id = field.id, speaks = sig.boolean },
}

sig.on("message:call-on", function(room, member, message)
  local order = message.payload
  local pupil = room:member(order.user_id)
  if not pupil or pupil.claims.teaches == true then
    return sig.deny("NO_SUCH_PUPIL", "no pupil of that name is here", { user_id = order.user_id })
  end
  pupil:set_role(order.speaks and "participant" or "observer", { by = member.id })
end)
