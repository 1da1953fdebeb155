-- What is too much for a room's state, or of another form, is an error of the hook, and the state stays as it was.
local sig = require "lunasig"
local scene = require "scene"
sig.policy { name = "memory", api = 1 }
sig.use { "std.presence" }
sig.room_state {
  hands = sig.set { max = 3 },
  lines = sig.list { max = 3, value = sig.string { max = 5 } },
  locked = sig.value { type = sig.boolean, default = false },
}
sig.type "raise" { payload = sig.object { name = sig.string }, to = "server" }
sig.type "write" { payload = sig.object { line = sig.string }, to = "server" }
sig.type "lock" { payload = sig.object { locked = sig.any }, to = "server" }
sig.on("message:raise", function(room, _, message)
  room.state.hands:add(message.payload.name)
end)
sig.on("message:write", function(room, _, message)
  room.state.lines:push(message.payload.line)
end)
sig.on("message:lock", function(room, _, message)
  room.state.locked = message.payload.locked
end)

sig.test("a full set takes no more", function(t)
  t:expects_error "hands"
  local ann = scene.call(t, "ann")
  for i = 1, 4 do
    ann:sends("raise", { name = "user" .. i })
  end
  ann:is_refused "POLICY_ERROR"
  assert(#t:state("r1").hands == 3)
end)

sig.test("entries are checked", function(t)
  t:expects_error "lines"
  local ann = scene.call(t, "ann")
  ann:sends("write", { line = "fine" })
  ann:sends("write", { line = "too long" })
  ann:is_refused "POLICY_ERROR"
  assert(#t:state("r1").lines == 1)
end)

sig.test("values are checked", function(t)
  t:expects_error "locked"
  local ann = scene.call(t, "ann")
  ann:sends("lock", { locked = true })
  ann:sends("lock", { locked = "yes" })
  ann:is_refused "POLICY_ERROR"
  assert(t:state("r1").locked == true)
end)
