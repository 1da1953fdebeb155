-- room:after: a timer has a name, is set again in the place of the one of its name, and may be taken back.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }
sig.type "set" { payload = sig.object { after = sig.any, text = sig.string { optional = true } }, to = "server" }
sig.type "cancel" { to = "server" }

sig.on("message:set", function(room, member, message)
  room:after(message.payload.after, "bell", { text = message.payload.text, by = member.id })
  member:send("set", { left = math.ceil(room:timer "bell") })
end)
sig.on("message:cancel", function(room, member)
  member:send("cancelled", { was = room:cancel "bell", left = room:timer "bell" })
end)
sig.on("timer:bell", function(room, arg)
  room:send("bell", arg)
end)

sig.test("it rings when its time is over, for all", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("set", { after = "90s", text = "tea" })
  ann:receives("set", { left = 90 })
  bob:receives_nothing { type = "bell", within = "89s" }
  bob:receives { type = "bell", payload = { text = "tea", by = "ann" }, within = "1s" }
  bob:receives_nothing { type = "bell", within = "1h" }
end)

sig.test("setting it again takes the place of the one before", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("set", { after = 10, text = "one" })
  t:advance "9s"
  ann:sends("set", { after = 10, text = "two" })
  ann:receives { type = "bell", payload = { text = "two" }, within = "10s" }
  ann:receives_nothing { type = "bell", within = "1min" }
end)

sig.test("what was taken back does not ring", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("set", { after = "1min" })
  ann:sends("cancel", {})
  ann:receives("cancelled", { was = true })
  ann:receives_nothing { type = "bell", within = "2min" }
  ann:sends("cancel", {})
  ann:receives("cancelled", { was = false })
end)

sig.test("it rings in the room of somebody who went and came again", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("set", { after = "30min" })
  ann:leaves()
  t:advance "29min"
  ann:joins "r1"
  ann:receives { type = "bell", within = "1min" }
end)
