local sig = require "lunasig"

sig.use "ringing"

-- Bob talks to Eve in r2, and his phone is on.
local function bob_in_a_call(t)
  local bob, eve, phone = t:client "bob", t:client "eve", t:client "bob"
  bob:joins "r2"
  eve:joins "r2"
  phone:joins "phone-bob"
  return bob, eve, phone
end

sig.test("a user who is in another room hears it ring, and comes", function(t)
  local bob, _, phone = bob_in_a_call(t)
  local ann, dialler = t:client "ann", t:client "ann"
  ann:joins "r1"
  dialler:joins "phone-bob"
  dialler:sends("ring", { room = "r1" })
  phone:receives { type = "ring", sender_id = "ann", payload = { room = "r1" } }
  phone:sends("ring-answer", { accept = true })
  dialler:receives { type = "ring-answer", sender_id = "bob", payload = { accept = true, room = "r1" } }
  dialler:leaves()
  phone:receives_nothing "ring-ended"
  bob:leaves()
  bob:joins "r1"
  ann:receives("user-joined", { user_id = "bob" })
end)

sig.test("who does not answer within half a minute is not rung any more", function(t)
  local _, _, phone = bob_in_a_call(t)
  local dialler = t:client "ann"
  dialler:joins "phone-bob"
  dialler:sends("ring", { room = "r1" })
  dialler:is_closed(1000, { within = "31s" })
  phone:receives("ring-ended", { user_id = "ann" })
  phone:sends("ring-answer", { accept = true })
  phone:is_refused "NOBODY_RINGS"
end)

sig.test("a phone that is off cannot be rung, and one that rings is engaged", function(t)
  local ann, eve = t:client "ann", t:client "eve"
  ann:joins "phone-bob"
  ann:is_refused "NOT_REACHABLE"
  bob_in_a_call(t)
  ann:joins "phone-bob"
  eve:joins "phone-bob"
  eve:is_refused "ENGAGED"
  ann:leaves()
  eve:joins "phone-bob"
end)

sig.test("who hangs up before the answer is not rung for any longer", function(t)
  local _, _, phone = bob_in_a_call(t)
  local ann = t:client "ann"
  ann:joins "phone-bob"
  ann:sends("ring", { room = "r1" })
  ann:leaves()
  phone:receives("ring-ended", { user_id = "ann" })
end)

sig.test("nothing is said on a phone but ringing, and nobody rings in a room", function(t)
  local bob, _, phone = bob_in_a_call(t)
  local ann = t:client "ann"
  ann:joins "phone-bob"
  ann:sends("chat-message", { content = "hello?" })
  ann:is_refused "ONLY_RINGING"
  ann:sends("ring-answer", { accept = true })
  ann:is_refused "ONLY_RINGING"
  ann:sends "ring-ended"
  ann:is_refused "FORBIDDEN_TYPE"
  for _ = 1, 4 do
    ann:sends("ring", { room = "r1" })
  end
  ann:is_refused "RATE_LIMIT_EXCEEDED"
  phone:receives_nothing "chat-message"
  bob:sends("ring", { room = "r1" })
  bob:is_refused "NO_PHONE"
end)
