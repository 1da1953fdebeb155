-- sig.store: documents and counters that outlive rooms; they may end by themselves.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }

local notes = sig.store "notes"
local ttl, once = sig.string { optional = true }, sig.boolean { optional = true }
sig.type "put" { to = "server", payload = sig.object { key = sig.string, text = sig.string, ttl = ttl, once = once } }
sig.type "get" { to = "server", payload = sig.object { key = sig.string } }
sig.type "count" { to = "server", payload = sig.object { key = sig.string } }
sig.on("message:put", function(_, member, message)
  local order = message.payload
  member:send("done", { written = notes:put(order.key, { text = order.text }, { ttl = order.ttl, if_absent = order.once }) })
end)
sig.on("message:get", function(_, member, message)
  local note = notes:get(message.payload.key)
  member:send("note", { text = note and note.text or sig.null, more = #notes:list { prefix = "n" } })
end)
sig.on("message:count", function(_, member, message)
  member:send("counted", { n = notes:incr(message.payload.key) })
end)

sig.test("a document is there for all rooms, and when they are gone", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("put", { key = "n1", text = "remember the milk" })
  ann:receives("done", { written = true })
  ann:leaves()
  t:advance "1d"
  local bob = t:client "bob"
  bob:joins "r2"
  bob:sends("get", { key = "n1" })
  bob:receives("note", { text = "remember the milk", more = 1 })
end)

sig.test("a document with a ttl ends", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("put", { key = "n1", text = "for a minute", ttl = "60s" })
  t:advance "59s"
  ann:sends("get", { key = "n1" })
  ann:receives("note", { text = "for a minute" })
  t:advance "1s"
  ann:sends("get", { key = "n1" })
  assert(ann:receives("note").payload.text == nil)
end)

sig.test("of two who claim a key the first has it", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("put", { key = "n3", text = "mine", once = true })
  bob:sends("put", { key = "n3", text = "mine", once = true })
  ann:receives("done", { written = true })
  bob:receives("done", { written = false })
end)

sig.test("counters count for all", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("count", { key = "visits" })
  bob:sends("count", { key = "visits" })
  ann:receives("counted", { n = 1 })
  bob:receives("counted", { n = 2 })
end)
