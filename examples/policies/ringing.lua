-- Ringing somebody who is in another room. Besides its call, a client that wants to be reached stays in a room of its own, its phone:
-- "phone-bob" is Bob's. Who wants to reach Bob goes there and rings; after half a minute without an answer he is shown out.
-- (Rooms do not hear each other, so the one who calls comes to where the other listens. A user may be in several rooms at once.)
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "ringing", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat" }

sig.room_state { call = sig.value { type = sig.object } } -- who rings, and to which room he asks: { user_id, room }

local function owner_of(room)
  return room.id:match "^phone%-(.+)$" -- nil: it is an ordinary room
end

sig.on("join", function(room, member)
  local owner = owner_of(room)
  if not owner or owner == member.id then return end
  if not room:member(owner) then return sig.deny("NOT_REACHABLE", owner .. " cannot be rung now") end
  if room.count > 1 then return sig.deny("ENGAGED", "somebody else is ringing " .. owner, { retry_after = 30 }) end
  sig.seat { max = 2 }
  room:after("30s", "give-up", { user_id = member.id })
end)

sig.on("timer:give-up", function(room, arg)
  local caller = room:member(arg.user_id)
  if caller then caller:close(1000, "no answer") end
end)

sig.on("leave", function(room, member)
  local call, owner = room.state.call, room:member(owner_of(room) or "")
  if not call or call.user_id ~= member.id then return end
  room.state.call = nil
  if owner then owner:send("ring-ended", { user_id = member.id }) end
end)

sig.type "ring" { payload = sig.object { room = field.id }, rate = "6/min burst 3 per user" }
sig.type "ring-answer" { payload = sig.object { accept = sig.boolean } }
sig.type "ring-ended" { from = "server" } -- he rings no longer: he has given up

sig.on("message", function(room, member, message)
  local owner, ring, answer = owner_of(room), message.type == "ring", message.type == "ring-answer"
  if not owner then
    return (ring or answer) and sig.deny("NO_PHONE", "rooms that can be rung in are called phone-NAME") or nil
  elseif ring and member.id ~= owner then
    room.state.call = { user_id = member.id, room = message.payload.room }
  elseif answer and member.id == owner then
    local call = room.state.call
    if not call then return sig.deny("NOBODY_RINGS", "nobody rings, or not any more") end
    room.state.call = nil
    message:replace { accept = message.payload.accept, room = call.room }
  else
    return sig.deny("ONLY_RINGING", "on a phone callers ring and its owner answers; talk in a room")
  end
end)
