-- How many may be in a room depends on the plan of its host, which the service that signs the tokens writes into them:
-- {"sub": "ann", "plan": "team", …}. What a client says about itself plays no part.
local sig = require "lunasig"

sig.policy { name = "max_participants_by_plan", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat" }

local seats = { free = 3, team = 10, pro = 50 }

local function plan_of(member)
  local plan = member.claims.plan
  return seats[plan] and plan or "free"
end

sig.on("join", function(room, member)
  local plan = plan_of(room.host or member) -- whoever comes first becomes host
  local max = seats[plan]
  if room.count >= max then
    return sig.deny("ROOM_FULL", ("a room of the plan %s has %d seats"):format(plan, max), { plan = plan, limit = max })
  end
  sig.seat { max = max } -- counted again when all hooks are done: others may have come in while one of them waited
end)
