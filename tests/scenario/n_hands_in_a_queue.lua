-- Raised hands stand in a queue: each once, in the order in which they went up, until they go down or their owner leaves.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.hand_raise" }

local function queue(...)
  local places = sig.json.array {}
  for i, name in ipairs { ... } do
    places[i] = { user_id = name, username = name, position = i }
  end
  return { queue = places }
end

sig.test("everybody sees the queue, its owner too", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  eve:sends("hand-raise", { raised = true })
  bob:sends("hand-raise", { raised = true })
  for _, client in ipairs { ann, bob, eve } do
    client:receives("hand-raise-queue", queue "eve")
    client:receives("hand-raise-queue", queue("eve", "bob"))
  end
  eve:sends("hand-raise", { raised = true })
  ann:receives("hand-raise", { raised = true })
  ann:receives_nothing "hand-raise-queue"
  eve:sends("hand-raise", { raised = false })
  ann:receives("hand-raise-queue", queue "bob")
end)

sig.test("the hand is told before the queue, by message and over HTTP", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends("hand-raise", { raised = true })
  assert(ann:receives({}).type == "hand-raise" and ann:receives({}).type == "hand-raise-queue")
  bob:requests "POST /webrtc/rooms/r1/hand-raise?raised=false"
  assert(ann:receives({}).type == "hand-raise" and ann:receives({}).type == "hand-raise-queue")
end)

sig.test("a hand goes down when its owner leaves", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  bob:sends("hand-raise", { raised = true })
  eve:sends("hand-raise", { raised = true })
  bob:leaves()
  ann:receives("hand-raise-queue", queue "eve")
  bob:joins "r1"
  assert(#t:state("r1", "std.hand_raise").hands == 0 and not t:state("r1", "std.hand_raise").hands.bob)
end)
