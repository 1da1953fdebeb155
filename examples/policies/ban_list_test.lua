local sig = require "lunasig"

sig.use "ban_list"

local function call(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"
  bob:joins "r1"
  return ann, bob
end

sig.test("who is banned is sent away, and does not come in again", function(t)
  local ann, bob = call(t)
  local eve = t:client "eve"
  eve:joins "r1"
  ann:sends("ban", { user_id = "bob", reason = "he sings" })
  eve:receives_nothing "ban" -- nobody has to know why he is gone
  bob:is_refused "KICKED"
  bob:is_closed(4403)
  bob:joins "r1"
  local refusal = bob:is_refused "BANNED"
  assert(refusal.payload.message == "he sings")
  bob:joins "r2" -- a ban is a room's
end)

sig.test("a ban outlives its room", function(t)
  local ann, bob = call(t)
  ann:sends("ban", { user_id = "bob" })
  ann:leaves()
  t:advance "30d"
  assert(t:room "r1" == nil)
  bob:joins "r1"
  bob:is_refused "BANNED"
end)

sig.test("a ban for some minutes says how long it lasts, and ends", function(t)
  local ann, bob = call(t)
  ann:sends("ban", { user_id = "bob", minutes = 10 })
  t:advance "9min"
  bob:joins "r1"
  local refusal = bob:is_refused "BANNED"
  assert(refusal.payload.details.retry_after == 60)
  t:advance "61s"
  bob:joins "r1"
end)

sig.test("a ban is lifted once", function(t)
  local ann, bob = call(t)
  ann:sends("ban", { user_id = "bob" })
  ann:sends("unban", { user_id = "bob" })
  bob:joins "r1"
  ann:sends("unban", { user_id = "bob" })
  ann:is_refused "NOT_BANNED"
end)

sig.test("participants ban nobody, and nobody bans a host or a moderator", function(t)
  local ann, bob = call(t)
  bob:sends("ban", { user_id = "ann" })
  bob:is_refused "PERMISSION_DENIED"
  bob:sends("unban", { user_id = "eve" })
  bob:is_refused "PERMISSION_DENIED"
  ann:sends("ban", { user_id = "ann" })
  ann:is_refused "NOT_THIS_ONE"
end)
