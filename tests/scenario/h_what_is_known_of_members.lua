-- member.attr is seen by everybody in the room-state, member.data by policies alone; both leave with the member.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }
sig.type "mood" { to = "server", payload = sig.object { mood = sig.string, secret = sig.string { optional = true } } }
sig.on("message:mood", function(_, member, message)
  member.attr.mood = message.payload.mood
  member.data.secret = message.payload.secret
end)

local function shown(t, index)
  return t:client():joins("r1").payload.participants[index]
end

sig.test("attr is in the participants, data is not", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("mood", { mood = "glad", secret = "in love" })
  local participant = shown(t, 1)
  assert(participant.attr.mood == "glad" and not sig.json.encode(participant):find "love")
  local member = t:room("r1").members[1]
  assert(member.attr.mood == "glad" and member.data.secret == "in love")
end)

sig.test("both stay while he is away, and are gone when he comes again", function(t)
  local _, bob = scene.call(t, "ann", "bob")
  bob:sends("mood", { mood = "tired", secret = "x" })
  bob:drops()
  assert(shown(t, 2).attr.mood == "tired")
  bob:resumes()
  bob:leaves()
  bob:joins "r1"
  local members = t:room("r1").members
  local again = members[#members]
  assert(again.id == "bob" and again.attr.mood == nil and again.data.secret == nil)
end)

sig.test("attr has a bound: POLICY_ATTR_BYTES", function(t)
  t:expects_error "attr"
  local ann = scene.call(t, "ann")
  ann:sends("mood", { mood = ("m"):rep(2000) })
  ann:is_refused "POLICY_ERROR"
  assert(t:room("r1").members[1].attr.mood == nil)
end)
