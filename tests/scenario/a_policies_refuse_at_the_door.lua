-- The hooks connect, auth and join refuse each in its own way.
local sig = require "lunasig"
sig.use { "std.presence" }

sig.on("connect", function(request)
  if request.ip == "203.0.113.9" then return sig.deny("NOT_FROM_HERE", "this address is blocked") end
  if request.room_id == "broken" then error "boom" end
end)
sig.on("auth", function(_, claims)
  if claims.suspended then return sig.deny("SUSPENDED", "this account is suspended") end
end)
sig.on("join", function(room, member)
  if room.id == "locked" then return sig.deny("ROOM_LOCKED", "ask the host", { host = "ann" }) end
  if room.id == "closing" then return sig.close(4010, "moved to another server") end
  if room.id == "members" and member.claims.plan == nil then return sig.deny "MEMBERS_ONLY" end
end)

sig.test("connect refuses the handshake itself: 403", function(t)
  local ann = t:client { user = "ann", address = "203.0.113.9" }
  ann:joins "r1"
  ann:is_refused(403)
  ann:is_refused "NOT_FROM_HERE"
end)

sig.test("auth refuses with 4401", function(t)
  local ann = t:client { user = "ann", claims = { suspended = true } }
  ann:joins "r1"
  ann:is_refused "SUSPENDED"
  ann:is_closed(4401)
end)

sig.test("join refuses with 1008, or with a code of its own, and the room never was", function(t)
  local ann = t:client "ann"
  ann:joins "locked"
  local refusal = ann:is_refused "ROOM_LOCKED"
  assert(refusal.payload.message == "ask the host" and refusal.payload.details.host == "ann")
  ann:is_closed(1008)
  ann:joins "closing"
  ann:is_closed(4010)
  assert(t:room "locked" == nil and t:room "closing" == nil)
end)

sig.test("what the token says decides", function(t)
  local ann, bob = t:client "ann", t:client { user = "bob", claims = { plan = "pro" } }
  ann:joins "members"
  ann:is_refused "MEMBERS_ONLY"
  bob:joins "members"
end)

sig.test("a hook at the door that fails lets nobody in", function(t)
  t:expects_error "boom"
  local ann = t:client "ann"
  ann:joins "broken"
  ann:is_refused(403)
end)
