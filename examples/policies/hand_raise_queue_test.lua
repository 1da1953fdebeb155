local sig = require "lunasig"

sig.use "hand_raise_queue"

local function call(t)
  local ann, bob, eve = t:client "ann", t:client "bob", t:client "eve"
  ann:joins "r1"
  bob:joins "r1"
  eve:joins "r1"
  return ann, bob, eve
end

sig.test("hands are in the queue in the order in which they went up, each once", function(t)
  local ann, bob, eve = call(t)
  eve:sends("hand-raise", { raised = true })
  bob:sends("hand-raise", { raised = true })
  ann:receives("hand-raise-queue", { queue = { { user_id = "eve" } } })
  ann:receives("hand-raise-queue", {
    queue = {
      { user_id = "eve", position = 1, raised_at = t.match "^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$" },
      { user_id = "bob", position = 2, raised_at = t.any },
    },
  })
  eve:sends("hand-raise", { raised = true })
  ann:receives_nothing "hand-raise-queue"
end)

sig.test("nobody raises the hand of another", function(t)
  local ann, bob = call(t)
  bob:sends("hand-raise", { raised = true, user_id = "eve" })
  ann:receives("hand-raise-queue", { queue = { { user_id = "bob" } } })
end)

sig.test("a hand goes down by its owner, and when he leaves", function(t)
  local ann, bob, eve = call(t)
  bob:sends("hand-raise", { raised = true })
  eve:sends("hand-raise", { raised = true })
  bob:sends("hand-raise", { raised = false })
  eve:leaves()
  ann:receives("hand-raise-queue", t.exactly { queue = {} })
end)

sig.test("twenty hands are enough", function(t)
  t:client("ann"):joins "r1"
  for i = 1, 21 do
    local pupil = t:client("pupil" .. i)
    pupil:joins "r1"
    pupil:sends("hand-raise", { raised = true })
    if i == 21 then pupil:is_refused "QUEUE_FULL" end
  end
end)

sig.test("who waves too often is not heard for a while", function(t)
  local ann, bob = call(t)
  for i = 1, 6 do
    bob:sends("hand-raise", { raised = i % 2 == 1 })
  end
  bob:is_refused "RATE_LIMIT_EXCEEDED"
  ann:receives_nothing "hand-raise"
end)

sig.test("the host gives the word to the first", function(t)
  local ann, bob, eve = call(t)
  ann:sends "hand-next"
  ann:is_refused "QUEUE_EMPTY"
  bob:sends("hand-raise", { raised = true })
  eve:sends("hand-raise", { raised = true })
  ann:sends "hand-next"
  eve:receives_nothing "hand-next"
  eve:receives("hand-turn", { user_id = "bob" })
  eve:receives("hand-raise-queue", { queue = { { user_id = "eve", position = 1 } } })
end)

sig.test("a participant gives the word to nobody", function(t)
  local _, bob = call(t)
  bob:sends "hand-next"
  bob:is_refused "PERMISSION_DENIED"
  bob:sends("hand-turn", { user_id = "bob" })
  bob:is_refused "FORBIDDEN_TYPE"
end)

sig.test("who comes later finds the queue in his room-state", function(t)
  local _, bob = call(t)
  bob:sends("hand-raise", { raised = true })
  local kept = t:client("max"):joins("r1").payload.kept
  assert(kept[1].type == "hand-raise-queue" and kept[1].payload.queue[1].user_id == "bob")
end)
