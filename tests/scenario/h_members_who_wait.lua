-- member.waiting, as a policy of one's own uses it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.signaling" }

sig.room_state { seen = sig.map { max = 50 } }

local function count(room, what)
  room.state.seen:set(what, (room.state.seen:get(what) or 0) + 1)
end

sig.on("join", function(room, member)
  if member.claims.seats then sig.seat { max = member.claims.seats } end
  if member.claims.moderates then room:remember_role(member.id, "moderator") end
  if member.claims.waits then member.waiting = true end
  assert(member.waiting == (member.claims.waits == true))
end)

for _, event in ipairs { "joined", "waiting", "leave", "away", "back" } do
  sig.on(event, function(room, member)
    count(room, event .. " " .. member.id)
  end)
end

local everybody = { "host", "moderator", "participant", "observer", "waiting" }

sig.type "knock" { from = "waiting" }
sig.type "say" { from = everybody, keep = "latest per user" }
sig.type "do" { from = everybody, to = "server", payload = sig.object { what = sig.string, user = sig.string { optional = true } } }

local deeds = {
  admit = function(_, member) member.waiting = false end,
  hold = function(_, member) member.waiting = true end,
  ["back and forth"] = function(_, member)
    member.waiting = not member.waiting
    member.waiting = not member.waiting
  end,
  ["admit and fail"] = function(_, member)
    member.waiting = false
    error "on purpose"
  end,
  ["admit as moderator"] = function(_, member)
    member:set_role "moderator"
    member.waiting = false
  end,
  ["set nonsense"] = function(_, member) member.waiting = 1 end,
}

sig.route("GET /webrtc/rooms/:room/moderators", { roles = "moderator" }, function() return 200, {} end)

local function names(members)
  local list = sig.json.array {}
  for i, member in ipairs(members) do
    list[i] = member.id
  end
  return list
end

sig.on("message:do", function(room, member, message)
  local order = message.payload
  local who = room:member(order.user or member.id)
  if order.what == "look" then
    member:send("seen", {
      members = names(room:members()), waiting = names(room:members { waiting = true }), count = room.count,
      host = room.host and room.host.id, oldest = (room:oldest() or {}).id, role = who.role, waits = who.waiting,
    })
  else
    deeds[order.what](room, who)
  end
end)

local function does(client, what, user)
  client:sends("do", { what = what, user = user })
end

local function seen(t)
  return t:state "r1".seen
end

local function waits(t, name)
  local client = t:client { user = name, claims = { waits = true } }
  client:joins "r1"
  return client
end

sig.test("the first may wait too: the room has no host until somebody is in", function(t)
  local eve = waits(t, "eve")
  assert(t:room("r1").host == nil and t:room("r1").count == 0)
  does(eve, "look")
  eve:receives("seen", t.exactly { members = {}, waiting = { "eve" }, count = 0, role = "participant", waits = true })
  local ann = t:client "ann"
  assert(ann:joins("r1").payload.self.role == "host")
  does(ann, "look", "eve")
  ann:receives("seen", {
    members = { "ann" }, waiting = { "eve" }, count = 1, host = "ann", oldest = "ann", role = "participant", waits = true,
  })
end)

sig.test("let in where nobody is host, he is; and he came last", function(t)
  local eve, max = waits(t, "eve"), waits(t, "max")
  does(max, "admit")
  assert(max:receives("room-state").payload.self.role == "host")
  does(eve, "admit")
  assert(eve:receives("room-state").payload.self.role == "participant")
  max:receives("user-joined", { user_id = "eve" })
  does(eve, "look")
  eve:receives("seen", { members = { "max", "eve" }, waiting = {}, host = "max", oldest = "max" })
end)

sig.test("no succession falls to who waits", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  local mod = t:client { user = "mod", claims = { waits = true, moderates = true } }
  mod:joins "r1"
  ann:leaves()
  assert(t:room("r1").host == nil and t:room("r1").members[1].role == "moderator")
  assert(t:client("bob"):joins("r1").payload.self.role == "host")
end)

sig.test("routes for roles are closed to who waits, whatever his role", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  local mod = t:client { user = "mod", claims = { waits = true, moderates = true } }
  mod:joins "r1"
  assert(mod:requests("/webrtc/rooms/r1/moderators").status == 403)
  does(ann, "admit", "mod")
  mod:receives "room-state"
  assert(mod:requests("/webrtc/rooms/r1/moderators").status == 200)
end)

sig.test("hooks: waiting when he comes, joined when he is in, leave when he goes", function(t)
  local eve = waits(t, "eve")
  assert(seen(t)["waiting eve"] == 1 and not seen(t)["joined eve"])
  does(eve, "admit")
  assert(seen(t)["joined eve"] == 1)
  local max = waits(t, "max")
  max:drops()
  max:resumes()
  max:leaves()
  assert(seen(t)["leave max"] == 1 and seen(t)["away max"] == 1 and seen(t)["back max"] == 1 and not seen(t)["joined max"])
end)

sig.test("a type says whether who waits may send it; it goes where it always goes", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  local eve, max = waits(t, "eve"), waits(t, "max")
  eve:sends("knock", {})
  ann:receives { type = "knock", sender_id = "eve" }
  ann:sends("knock", {})
  ann:is_refused "PERMISSION_DENIED"
  eve:sends("say", {})
  ann:receives "say"
  eve:sends("offer", { sdp = scene.sdp, type = "offer" })
  eve:is_refused "STILL_WAITING"
  eve:sends("say", {}, "max")
  eve:is_refused "STILL_WAITING"
  max:receives_nothing()
  assert(#t:client("dan"):joins("r1").payload.kept == 1)
  eve:leaves() -- and what is kept of him goes too
  assert(t:client("fay"):joins("r1").payload.kept == nil)
end)

sig.test("a hook that fails has let nobody in, and what cancels out is not done", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  local eve = waits(t, "eve")
  t:expects_error "on purpose"
  does(ann, "admit and fail", "eve")
  ann:is_refused "POLICY_ERROR"
  does(ann, "back and forth", "eve")
  does(ann, "back and forth")
  t:expects_error "boolean expected"
  does(ann, "set nonsense", "eve")
  ann:is_refused "POLICY_ERROR"
  eve:receives_nothing()
  ann:receives_nothing()
  assert(t:room("r1").count == 1)
end)

sig.test("given a role and let in, he comes with it: nobody hears of it twice", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  local eve = waits(t, "eve")
  does(ann, "admit as moderator", "eve")
  ann:receives("user-joined", { user_id = "eve", role = "moderator" })
  ann:receives_nothing "role-updated"
  assert(eve:receives("room-state").payload.self.role == "moderator")
  eve:receives_nothing()
end)

sig.test("who is in can be made to wait: the others see him leave, and another one is host", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("say", {}) -- is kept as long as he is there
  bob:receives "say"
  local cat = t:client { user = "cat", dialect = "compat" }
  cat:joins "r1"
  does(ann, "hold")
  local state = ann:receives("room-state").payload
  assert(state.self.waiting and state.self.role == "moderator" and #state.participants == 1)
  ann:receives_nothing()
  bob:receives("user-left", { user_id = "ann", reason = "waiting" })
  bob:receives("role-updated", { user_id = "bob", role = "host" })
  assert(cat:receives("room-state").payload.participant_count == 2)
  cat:receives("user-left", { user_id = "ann" })
  assert(t:client("dan"):joins("r1").payload.kept == nil)
  assert(seen(t)["waiting ann"] == 1 and not seen(t)["leave ann"])
  ann:leaves()
  assert(ann:joins("r1").payload.self.role == "moderator") -- he was here once
end)

sig.test("a place is taken at the join: whoever waits has his", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  local eve = waits(t, "eve")
  local late = t:client { user = "late", claims = { seats = 2 } }
  late:joins "r1"
  late:is_refused "ROOM_FULL"
  eve:leaves()
  late:joins "r1"
end)
