-- What was said to everybody is recorded, a moment later, and what was said to one is not.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat", "std.chat_record" }

sig.route("GET /webrtc/rooms/:room/said", {}, function(_, room)
  return 200, sig.json.array(sig.store.chat_messages:list { prefix = room.id .. "/" })
end)

sig.test("who said what, when, cleaned as it went out", function(t)
  local ann = scene.call(t, "ann", "bob")
  ann:sends("chat-message", { content = "<b>hi</b>", message_id = "m1", reply_to = "m0", username = "eve" })
  ann:sends("chat-message", { content = "there" })
  t:advance "1s"
  local said = ann:requests("GET /webrtc/rooms/r1/said").body
  assert(#said == 2)
  local first, second = said[1].value, said[2].value
  assert(first.content == "hi" and first.user_id == "ann" and first.username == "ann" and first.room_id == "r1")
  assert(first.message_id == "m1" and first.reply_to == "m0" and first.message_type == "text")
  assert(first.timestamp:find "^%d+%-%d%d%-%d%dT" and second.content == "there")
  t:expects_metric("records_written", 2, { collection = "chat_messages" })
end)

sig.test("a room that ends and begins again goes on where its record was", function(t)
  for _, text in ipairs { "one", "two" } do
    local ann = t:client "ann"
    ann:joins "r1"
    ann:sends("chat-message", { content = text })
    t:advance "1s"
    ann:leaves()
    t:advance "1min"
  end
  local ann = scene.call(t, "ann")
  local said = ann:requests("GET /webrtc/rooms/r1/said").body
  assert(#said == 2 and said[1].value.content == "one" and said[2].value.content == "two")
end)

sig.test("private messages are not", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("chat-message", { content = "psst" }, "bob")
  bob:receives("chat-message", { content = "psst" })
  t:advance "1s"
  assert(#ann:requests("GET /webrtc/rooms/r1/said").body == 0)
end)

sig.test("long texts are cut in the record, between characters, and a flood is dropped from it", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local long = "x" .. ("ü"):rep(9000)
  ann:sends("chat-message", { content = long })
  bob:receives("chat-message", { content = long })
  ann:sends("chat-message", { content = long })
  bob:receives("chat-message", { content = long })
  t:advance "1s"
  local said = ann:requests("GET /webrtc/rooms/r1/said").body
  assert(#said == 1 and said[1].value.content == "x" .. ("ü"):rep(8191))
  t:expects_metric("records_dropped", 1, { collection = "chat_messages" })
end)

sig.test("many at once are recorded a few at a time, in their order", function(t)
  local clients = { scene.call(t, "ann", "bob") }
  for i = 1, 120 do
    clients[i % 2 + 1]:sends("chat-message", { content = "text " .. i })
  end
  t:advance "1s"
  local said = clients[1]:requests("GET /webrtc/rooms/r1/said").body
  assert(#said == 100) -- of 100 that a list has
  for i, one in ipairs(said) do
    assert(one.value.content == "text " .. i, one.value.content)
  end
  t:expects_metric("records_written", 120, { collection = "chat_messages" })
end)
