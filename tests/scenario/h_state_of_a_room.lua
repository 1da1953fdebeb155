-- room.state: sets, lists, maps, counters and values that outlive hooks, bounded and checked; each policy has its own.
local sig = require "lunasig"
local scene = require "scene"
sig.policy { name = "memory", api = 1 }
sig.use { "std.presence" }
sig.room_state {
  hands = sig.set { max = 3 },
  lines = sig.list { max = 3, value = sig.string { max = 5 } },
  votes = sig.map { max = 3, value = sig.integer },
  polls = sig.counter {},
  locked = sig.value { type = sig.boolean, default = false },
}
sig.type "do" { payload = sig.object { what = sig.string, value = sig.any { optional = true } }, to = "server" }

local doings = {
  hand = function(state, value, member) state.hands:add(value or member.id) end,
  down = function(state, _, member) state.hands:remove(member.id) end,
  line = function(state, value) state.lines:push(value) end,
  vote = function(state, value) state.votes:incr(value) end,
  poll = function(state, value) state.polls:incr(value) end,
  lock = function(state, value) state.locked = value end,
}
sig.on("message:do", function(room, member, message)
  doings[message.payload.what](room.state, message.payload.value, member)
end)

sig.test("what a hook writes is there for the next", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("do", { what = "hand" })
  bob:sends("do", { what = "hand" })
  ann:sends("do", { what = "hand" })
  ann:sends("do", { what = "line", value = "one" })
  bob:sends("do", { what = "vote", value = "yes" })
  ann:sends("do", { what = "vote", value = "yes" })
  ann:sends("do", { what = "poll", value = 5 })
  ann:sends("do", { what = "lock", value = true })
  local state = t:state "r1"
  assert(#state.hands == 2 and state.hands[1] == "ann" and state.lines[1] == "one")
  assert(state.votes.yes == 2 and state.polls == 5 and state.locked == true)
  bob:sends("do", { what = "down" })
  assert(#t:state("r1").hands == 1)
end)

sig.test("each room has its own, and it ends with the room", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("do", { what = "lock", value = true })
  t:client("eve"):joins "r2"
  assert(t:state("r2").locked ~= true)
  ann:leaves()
  t:advance "61min"
  scene.call(t, "ann")
  assert(t:state("r1").locked ~= true)
end)
