-- Who leads hands over: the host names another host and becomes a moderator; and when the host's connection is lost for longer than
-- ten seconds, the moderator (else the participant) who is here longest takes over. Moderators may name moderators; nobody else may.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "moderator_handover", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat" }

sig.type "hand-over" {
  from = { "host", "moderator" },
  to = "server",
  payload = sig.object { user_id = field.id, role = sig.string { one_of = { "host", "moderator", "participant" } } },
}

local function hand_over(from, to)
  from:set_role("moderator", { by = from.id })
  to:set_role("host", { by = from.id })
end

sig.on("message:hand-over", function(room, member, message)
  local wish = message.payload
  local heir = room:member(wish.user_id)
  if not heir then return sig.deny("NOT_HERE", "nobody of that name is in the room", { user_id = wish.user_id }) end
  if heir == member then return sig.deny("NOT_TO_YOURSELF", "name somebody else") end
  if wish.role == "host" then
    if member.role ~= "host" then return sig.deny("HOST_ONLY", "only the host hands over as host") end
    hand_over(member, heir)
  elseif heir.role == "host" then
    return sig.deny("HOST_STAYS", "the host hands over himself")
  else
    heir:set_role(wish.role, { by = member.id })
  end
end)

sig.on("away", function(room, member)
  if member.role == "host" then room:after("10s", "take-over", { gone = member.id }) end
end)

sig.on("timer:take-over", function(room, arg)
  local gone = room:member(arg.gone)
  local heir = room:oldest { role = "moderator" } or room:oldest { role = "participant" }
  if gone and gone.away and gone.role == "host" and heir then hand_over(gone, heir) end
end)
