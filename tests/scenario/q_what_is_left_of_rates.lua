-- GET /webrtc/rate-limits/{type}/status: what is left of the caller's rates. Asking takes nothing from it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.stats" }
sig.type "say" { alias = "say_it", payload = sig.object({}, { extra = true }) }
sig.type "slow" { rate = { "1/s burst 4 per connection", "1/min burst 3 per user" } }
sig.type "shared" { rate = "1/s burst 5 per room" }

local function left(client, type)
  local answer = client:requests("GET /webrtc/rate-limits/" .. type .. "/status")
  assert(answer.status == 200, answer.status)
  return answer.body
end

local function send(client, type, times)
  for _ = 1, times do
    client:sends(type, {})
  end
end

local exact = { virtual = true } -- what is left grows with time

sig.test("messages of a connection", exact, function(t)
  local ann = scene.call(t, "ann", "bob")
  local fresh = left(ann, "message")
  assert(fresh.type == "message" and fresh.user_id == "ann" and not fresh.limited)
  assert(fresh.limit == 10 and fresh.period == 1 and fresh.burst == 100 and fresh.remaining == 100)
  assert(fresh.retry_after == 0 and fresh.reset_after == 0)
  send(ann, "say", 40)
  local now = left(ann, "message")
  assert(now.remaining == 60 and now.reset_after == 4 and left(ann, "message").remaining == 60)
  assert(left(ann, "say").remaining == 60 and left(ann, "say_it").rules[1].rule == "messages per connection")
  t:advance "1s"
  assert(left(ann, "message").remaining == 70)
  send(ann, "say", 70)
  now = left(ann, "say")
  assert(now.limited and now.remaining == 0 and now.retry_after == 0.1 and now.reset_after == 10)
  send(ann, "say", 1)
  ann:is_refused "RATE_LIMIT_EXCEEDED"
  t:advance "100ms"
  assert(left(ann, "say").remaining == 1)
end)

sig.test("a type with rates of its own: the tightest, and each", exact, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  send(ann, "slow", 2)
  local now = left(ann, "slow")
  assert(#now.rules == 2 and now.rules[1].per == "connection" and now.rules[1].remaining == 2)
  assert(now.rules[2].rule == "slow per user" and now.rules[2].remaining == 1 and now.remaining == 1 and now.period == 60)
  assert(left(ann, "message").remaining == 100 and left(bob, "slow").remaining == 3)
  send(ann, "slow", 1)
  now = left(ann, "slow")
  assert(now.limited and now.retry_after == 60)
  ann:leaves()
  assert(left(ann, "slow").limited)
  t:advance "60s"
  assert(left(ann, "slow").remaining == 1)
end)

sig.test("of several connections the one that has the least left, in whatever room; a room's rate is everybody's", exact, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local second = t:client "ann"
  second:joins "r2"
  send(second, "say", 30)
  assert(left(ann, "message").remaining == 70 and left(bob, "message").remaining == 100)
  second:leaves()
  assert(left(ann, "message").remaining == 100)
  send(bob, "shared", 5)
  local rules = left(ann, "shared").rules
  assert(rules[1].rule == "messages per connection" and rules[2].per == "room" and rules[2].remaining == 0)
end)

sig.test("connections of a user", function(t)
  local ann = scene.call(t, "ann")
  local now = left(ann, "connection")
  assert(now.limit == 5 and now.remaining == 4 and now.period == nil and now.rules[1].rule == "connections per user")
  for _ = 1, 4 do
    t:client("ann"):joins "r1"
  end
  assert(left(ann, "connection").limited)
end)

sig.test("an unknown type is not found, and a token is needed", function(t)
  assert(t:client("ann"):requests("GET /webrtc/rate-limits/nonsense/status").status == 404)
  assert(t:request("GET /webrtc/rate-limits/message/status").status == 401)
end)

sig.test("nothing limits", { settings = { WEBSOCKET_MESSAGE_RATE_LIMIT = "0", WEBSOCKET_CONNECTION_LIMIT = "0" } }, function(t)
  local ann = scene.call(t, "ann")
  for _, type in ipairs { "message", "connection", "say" } do
    local now = left(ann, type)
    assert(#now.rules == 0 and not now.limited and now.limit == nil and now.remaining == nil, type)
  end
  assert(#left(ann, "slow").rules == 1)
end)
