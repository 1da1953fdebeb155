local sig = require "lunasig"

sig.use "moderator_handover"

local function call(t)
  local ann, bob, eve = t:client "ann", t:client "bob", t:client "eve"
  ann:joins "r1"
  bob:joins "r1"
  eve:joins "r1"
  return ann, bob, eve
end

sig.test("the host hands over and is a moderator afterwards", function(t)
  local ann, bob, eve = call(t)
  ann:sends("hand-over", { user_id = "bob", role = "host" })
  eve:receives_nothing "hand-over"
  eve:receives("role-updated", { user_id = "ann", role = "moderator", updated_by = "ann" })
  eve:receives("role-updated", { user_id = "bob", role = "host", updated_by = "ann" })
  bob:sends("hand-over", { user_id = "ann", role = "host" })
  eve:receives("role-updated", { user_id = "ann", role = "host" })
end)

sig.test("a moderator names moderators but not a host, and does not touch the host", function(t)
  local ann, bob, eve = call(t)
  ann:sends("hand-over", { user_id = "bob", role = "moderator" })
  bob:sends("hand-over", { user_id = "eve", role = "moderator" })
  eve:receives("role-updated", { user_id = "eve", role = "moderator", updated_by = "bob" })
  bob:sends("hand-over", { user_id = "eve", role = "host" })
  bob:is_refused "HOST_ONLY"
  bob:sends("hand-over", { user_id = "ann", role = "participant" })
  bob:is_refused "HOST_STAYS"
end)

sig.test("a participant hands over nothing, and nothing goes to somebody who is not here", function(t)
  local ann, bob = call(t)
  bob:sends("hand-over", { user_id = "bob", role = "host" })
  bob:is_refused "PERMISSION_DENIED"
  ann:sends("hand-over", { user_id = "max", role = "host" })
  ann:is_refused "NOT_HERE"
  ann:sends("hand-over", { user_id = "ann", role = "host" })
  ann:is_refused "NOT_TO_YOURSELF"
end)

sig.test("a host whose connection is lost for ten seconds is replaced by a moderator", function(t)
  local ann, bob, eve = call(t)
  ann:sends("hand-over", { user_id = "eve", role = "moderator" })
  ann:drops()
  bob:receives_nothing { type = "role-updated", payload = { role = "host" }, within = "9s" }
  bob:receives { type = "role-updated", payload = { user_id = "eve", role = "host" }, within = "2s" }
  ann:resumes()
  eve:sends("hand-over", { user_id = "ann", role = "host" })
  ann:receives("role-updated", { user_id = "ann", role = "host" })
end)

sig.test("a host who is back in time stays host", function(t)
  local ann, bob = call(t)
  ann:drops()
  t:advance "5s"
  ann:resumes()
  t:advance "1min"
  bob:receives_nothing "role-updated"
end)
