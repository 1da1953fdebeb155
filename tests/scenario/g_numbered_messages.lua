-- `id`: a client numbers its messages, is told which were accepted, and may send again what it does not know of.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local function says(client, id, content)
  client:sends { type = "chat-message", payload = { content = content or "x" }, id = id }
end

sig.test("an accepted message is acknowledged", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  says(ann, 1)
  ann:receives("ack", { id = 1 })
  bob:receives "chat-message"
  says(ann, 7)
  ann:receives("ack", { id = 7 })
end)

sig.test("a refused one is answered by an error with its id", function(t)
  local ann = scene.call(t, "ann")
  says(ann, 1, 5)
  assert(ann:is_refused("INVALID_MESSAGE").payload.details.id == 1)
  ann:receives_nothing "ack"
end)

sig.test("what comes again is acknowledged and not relayed again", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  says(ann, 1, "once")
  bob:receives("chat-message", { content = "once" })
  says(ann, 1, "once")
  ann:receives("ack", { id = 1 })
  ann:receives("ack", { id = 1 })
  bob:receives_nothing "chat-message"
end)

sig.test("a resumed session says which was the last, and remembers it", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  says(ann, 3)
  ann:drops()
  assert(ann:resumes().payload.session.last_id == 3)
  says(ann, 3)
  says(ann, 4, "next")
  ann:receives("ack", { id = 4 })
  bob:receives "chat-message"
  bob:receives("chat-message", { content = "next" })
end)

sig.test("a ping is answered by a pong with the same payload, and nobody else hears it", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("ping", { sent_at = 12345 })
  ann:receives("pong", t.exactly { sent_at = 12345 })
  bob:receives_nothing()
end)
