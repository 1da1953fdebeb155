local sig = require "lunasig"

sig.use "max_participants_by_plan"

local function come(t, count)
  for i = 1, count do
    t:client({ user = "guest" .. i }):joins "r1"
  end
end

sig.test("a room of the free plan has three seats", function(t)
  t:client("ann"):joins "r1"
  come(t, 2)
  local late = t:client "late"
  late:joins "r1"
  local refusal = late:is_refused "ROOM_FULL"
  assert(refusal.payload.details.plan == "free" and refusal.payload.details.limit == 3)
  late:is_closed(1008)
end)

sig.test("a host with the plan team brings seats for ten", function(t)
  t:client({ user = "ann", claims = { plan = "team" } }):joins "r1"
  come(t, 9)
  local late = t:client { user = "late", claims = { plan = "pro" } }
  late:joins "r1"
  late:is_refused "ROOM_FULL"
end)

sig.test("a plan that nobody sells counts as free", function(t)
  t:client({ user = "ann", claims = { plan = "gold" } }):joins "r1"
  come(t, 2)
  local late = t:client "late"
  late:joins "r1"
  late:is_refused "ROOM_FULL"
end)

sig.test("a seat that somebody leaves is free at once, and a second browser of a member takes none", function(t)
  local ann, bob, late = t:client "ann", t:client "bob", t:client "late"
  ann:joins "r1"
  bob:joins "r1"
  come(t, 1)
  t:client("ann"):joins "r1"
  late:joins "r1"
  late:is_refused "ROOM_FULL"
  bob:leaves()
  late:joins "r1"
  assert(t:room("r1").count == 3)
end)
