-- A queue of raised hands. Everybody sees it, who comes later too; a hand is in it once, goes down by itself when its owner leaves, and
-- hosts and moderators give the word to the first. It is used instead of std.hand_raise, with types of the same names, so that every client
-- knows them.
local sig = require "lunasig"

sig.policy { name = "hand_raise_queue", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.chat" }

local hands_max = 20

-- By user, in the order in which the hands went up.
sig.room_state { hands = sig.map { max = hands_max, value = sig.object { username = sig.string, raised_at = sig.string } } }

sig.type "hand-raise" {
  to = "server",
  rate = "2/s burst 5 per user",
  alias = "hand_raise",
  payload = sig.object({ raised = sig.boolean }, { extra = true }), -- whose hand it is the server knows
}
sig.type "hand-raise-queue" { from = "server", keep = "latest" }
sig.type "hand-next" { from = { "host", "moderator" }, to = "server" }
sig.type "hand-turn" { from = "server" }

local function tell_queue(room)
  local queue = sig.json.array {}
  for id, hand in room.state.hands:each() do
    queue[#queue + 1] = { user_id = id, username = hand.username, raised_at = hand.raised_at, position = #queue + 1 }
  end
  room:send("hand-raise-queue", { queue = queue })
end

sig.on("message:hand-raise", function(room, member, message)
  local hands, raised = room.state.hands, message.payload.raised
  if raised == hands:has(member.id) then return end -- said before
  if raised and hands:count() == hands_max then return sig.deny("QUEUE_FULL", "too many hands are up already", { limit = hands_max }) end
  hands:set(member.id, raised and { username = member.username, raised_at = os.date "!%Y-%m-%dT%H:%M:%SZ" } or nil)
  tell_queue(room)
end)

sig.on("message:hand-next", function(room)
  local first = room.state.hands:keys()[1]
  if not first then return sig.deny("QUEUE_EMPTY", "no hand is up") end
  room.state.hands:remove(first)
  room:send("hand-turn", { user_id = first })
  tell_queue(room)
end)

sig.on("leave", function(room, member)
  if room.state.hands:remove(member.id) then tell_queue(room) end
end)
