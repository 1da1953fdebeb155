-- No message waits for the database that records it, and what cannot be written is counted.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat", "std.chat_record" }

sig.route("GET /webrtc/rooms/:room/said", {}, function(_, room)
  return 200, sig.json.array(sig.store.chat_messages:list { prefix = room.id .. "/" })
end)

sig.test("a database that is down or slow delays no message; what is not written is counted", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  t:store "down"
  ann:sends("chat-message", { content = "one" })
  bob:receives("chat-message", { content = "one" })
  t:advance "1s"
  t:expects_metric("records_dropped", 1, { collection = "chat_messages" })
  t:store "slow"
  ann:sends("chat-message", { content = "two" })
  t:advance "1s"
  ann:sends("chat-message", { content = "three" })
  bob:receives("chat-message", { content = "three" })
  t:advance "3s"
  t:store "up"
  ann:sends("chat-message", { content = "four" })
  t:advance "10s"
  local said = ann:requests("GET /webrtc/rooms/r1/said").body
  assert(said[#said].value.content == "four")
end)
