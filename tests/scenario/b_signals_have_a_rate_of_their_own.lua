-- Offers, answers and candidates: 50 a second and 1,000 at once per connection, instead of WEBSOCKET_MESSAGE_RATE_LIMIT.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.signaling", "std.presence", "std.chat" }

local function candidates(client, count)
  for _ = 1, count do
    client:sends("ice-candidate", { candidate = "" })
  end
end

sig.test("a thousand candidates at once pass, the next is refused with its rule", { virtual = true }, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  candidates(ann, 1001)
  local details = ann:is_refused("RATE_LIMIT_EXCEEDED").payload.details
  assert(details.rule == "ice-candidate per connection" and details.limit == 50 and details.burst == 1000 and details.period == 1)
  for _ = 1, 1000 do
    bob:receives "ice-candidate"
  end
  bob:receives_nothing "ice-candidate"
end)

sig.test("fifty more have room after a second", { virtual = true }, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  candidates(ann, 1000)
  t:advance "1s"
  candidates(ann, 200)
  ann:is_refused "RATE_LIMIT_EXCEEDED"
  for _ = 1, 1050 do
    bob:receives "ice-candidate"
  end
end)

sig.test("offers and answers are counted each for itself, and chat is not touched", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  candidates(ann, 1000)
  for _, type in ipairs { "offer", "answer" } do
    for _ = 1, 200 do
      ann:sends(type, { sdp = "", type = type })
    end
    bob:receives(type)
  end
  ann:sends("chat-message", { content = "still there" })
  bob:receives "chat-message"
  ann:receives_nothing()
end)
