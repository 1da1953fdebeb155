-- The hook rate_exceeded: a policy says what becomes of those who send too much.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }
sig.type.extend "chat-message" { rate = "1/s burst 2 per user" }

sig.on("rate_exceeded", function(room, member, rule, times)
  member.data.rule = rule
  if room.id == "strict" and times >= 3 then return sig.close(4429, "slow down") end
  if room.id == "kind" then return sig.deny("PLEASE_WAIT", "one after the other", { times = times }) end
end)

local function says(client, count)
  for _ = 1, count do
    client:sends("chat-message", { content = "x" })
  end
end

sig.test("it is told the rule, and how often in a row it was exceeded", function(t)
  local ann = t:client "ann"
  ann:joins "kind"
  says(ann, 4)
  assert(ann:is_refused("PLEASE_WAIT").payload.details.times == 1)
  assert(ann:is_refused("PLEASE_WAIT").payload.details.times == 2)
  assert(t:room("kind").members[1].data.rule == "chat-message per user")
end)

sig.test("it may close", function(t)
  local ann = t:client "ann"
  ann:joins "strict"
  says(ann, 5)
  ann:is_refused "RATE_LIMIT_EXCEEDED"
  ann:is_closed(4429)
end)

sig.test("when it says nothing the message is refused as always", function(t)
  local ann = scene.call(t, "ann")
  says(ann, 3)
  assert(ann:is_refused("RATE_LIMIT_EXCEEDED").payload.details.rule == "chat-message per user")
end)
