local sig = require "lunasig"

sig.use "slow_mode_chat"

local function call(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"
  bob:joins "r1"
  return ann, bob
end

sig.test("a member writes once in thirty seconds", function(t)
  local ann, bob = call(t)
  bob:sends("chat-message", { content = "first" })
  t:advance "18s"
  bob:sends("chat-message", { content = "second" })
  local refusal = bob:is_refused "SLOW_MODE"
  assert(refusal.payload.message == "one message in 30 s: wait 12 s" and refusal.payload.details.retry_after == 12)
  t:advance "12s"
  bob:sends("chat-message", { content = "third" })
  ann:receives("chat-message", { content = "first" })
  ann:receives("chat-message", { content = "third" })
end)

sig.test("leaving and coming again does not shorten the pause", function(t)
  local _, bob = call(t)
  bob:sends("chat-message", { content = "first" })
  bob:leaves()
  bob:joins "r1"
  bob:sends("chat-message", { content = "second" })
  bob:is_refused "SLOW_MODE"
end)

sig.test("who may write again is forgotten when many have written", function(t)
  t:client("ann"):joins "r1"
  for i = 1, 200 do
    local guest = t:client("guest" .. i)
    guest:joins "r1"
    guest:sends("chat-message", { content = "I was here" })
    guest:leaves()
  end
  t:advance "30s"
  local late = t:client "late"
  late:joins "r1"
  late:sends("chat-message", { content = "me too" })
  late:receives_nothing "error"
end)

sig.test("the host writes when he likes, and others wait each for himself", function(t)
  local ann, bob = call(t)
  local eve = t:client "eve"
  eve:joins "r1"
  ann:sends("chat-message", { content = "one" })
  ann:sends("chat-message", { content = "two" })
  bob:sends("chat-message", { content = "three" })
  eve:receives("chat-message", { content = "two" })
  eve:receives("chat-message", { content = "three" })
  eve:sends("chat-message", { content = "four" })
  bob:receives("chat-message", { content = "four" })
end)

sig.test("the host sets the pause, and who comes later is told of it", function(t)
  local ann, bob = call(t)
  ann:sends("slow-mode", { seconds = 0 })
  bob:receives("slow-mode", { seconds = 0 })
  bob:sends("chat-message", { content = "one" })
  bob:sends("chat-message", { content = "two" })
  ann:receives("chat-message", { content = "two" })
  assert(t:client("eve"):joins("r1").payload.kept[1].type == "slow-mode")
end)

sig.test("the pause is the host's to set, and at most an hour", function(t)
  local ann, bob = call(t)
  bob:sends("slow-mode", { seconds = 0 })
  bob:is_refused "PERMISSION_DENIED"
  ann:sends("slow-mode", { seconds = 3601 })
  ann:is_refused "INVALID_MESSAGE"
end)
