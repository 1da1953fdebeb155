-- A hook that fails: where it can refuse it refuses, unless it says on_error = "allow"; what it changed is taken back.
local sig = require "lunasig"
local scene = require "scene"
sig.policy { name = "fails", api = 1 }
sig.use { "std.presence" }
sig.room_state { count = sig.counter {} }
sig.type "denies" {}
sig.type "allows" {}
sig.type "counts" {}

sig.on("message:denies", function(room)
  room.state.count:incr()
  room:send("noise", {})
  error "boom"
end)
sig.on("message:allows", { on_error = "allow" }, function(room)
  room.state.count:incr()
  error "bang"
end)
sig.on("message:counts", function(room)
  room.state.count:incr()
end)
sig.on("leave", function(room)
  if room.id == "cursed" then error "bye" end
end)

sig.test("a message whose hook fails is refused, and nothing of what the hook did is left", function(t)
  t:expects_error "boom"
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("denies", {})
  local refusal = ann:is_refused("POLICY_ERROR").payload
  assert(refusal.details.policy == "fails" and not refusal.message:find "boom")
  bob:receives_nothing()
  assert(t:state("r1").count == 0)
end)

sig.test("with on_error = \"allow\" the message goes on, without what the hook did", function(t)
  t:expects_error "bang"
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("allows", {})
  bob:receives "allows"
  assert(t:state("r1").count == 0)
end)

sig.test("where nothing can be refused an error changes nothing", function(t)
  t:expects_error "bye"
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "cursed"
  bob:joins "cursed"
  bob:leaves()
  ann:receives("user-left", { user_id = "bob" })
end)

sig.test("a hook that does not fail keeps what it did", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("counts", {})
  assert(t:state("r1").count == 1)
end)
