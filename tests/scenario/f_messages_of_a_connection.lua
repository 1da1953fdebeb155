-- WEBSOCKET_MESSAGE_RATE_LIMIT: ten messages a second and a hundred at once from one connection.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local function says(client, count)
  for i = 1, count do
    client:sends("chat-message", { content = tostring(i) })
  end
end

sig.test("the hundred and first message at once is refused, and says when to try again", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  says(ann, 101)
  local refusal = ann:is_refused("RATE_LIMIT_EXCEEDED").payload
  assert(refusal.details.rule == "messages per connection" and refusal.details.limit == 10 and refusal.details.burst == 100)
  assert(refusal.details.retry_after == 0.1)
  bob:receives("chat-message", { content = "100" })
  bob:receives_nothing "chat-message"
end)

sig.test("ten more may come after a second", { virtual = true }, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  says(ann, 100)
  t:advance "1s"
  says(ann, 20)
  ann:is_refused "RATE_LIMIT_EXCEEDED"
  for i = 1, 100 do
    bob:receives("chat-message", { content = tostring(i) })
  end
  for i = 1, 10 do
    bob:receives("chat-message", { content = tostring(i) })
  end
  bob:receives_nothing("chat-message", { content = "20" })
end)

sig.test("the same rule is told once a second", function(t)
  local ann = scene.call(t, "ann")
  says(ann, 110)
  ann:is_refused "RATE_LIMIT_EXCEEDED"
  ann:receives_nothing "error"
end)

sig.test("each connection counts for itself", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local second = t:client "ann"
  second:joins "r1"
  says(ann, 100)
  second:sends("chat-message", { content = "from my phone" })
  bob:receives("chat-message", { content = "from my phone" })
end)
