-- A token may come as the first message, within five seconds; until then nothing else is heard.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

sig.test("who says his token first is a member like others", function(t)
  local ann = scene.call(t, "ann")
  local bob = t:client { user = "bob", auth = "message" }
  assert(bob:joins("r1").payload.self.user_id == "bob")
  ann:receives("user-joined", { user_id = "bob" })
end)

sig.test("who says nothing is closed after five seconds", function(t)
  local ann = scene.call(t, "ann")
  local bob = t:client { user = "bob", auth = "none" }
  bob:joins "r1"
  bob:is_closed(4401, { within = "6s" })
  bob:is_refused "TOKEN_INVALID"
  ann:receives_nothing()
end)

sig.test("a token that somebody else has signed is refused", function(t)
  local ann = scene.call(t, "ann")
  local bob = t:client { user = "bob", auth = "message", token = t:token { user = "bob", key = "other" } }
  bob:joins "r1"
  bob:is_refused "TOKEN_INVALID"
  bob:is_closed(4401)
  ann:receives_nothing()
end)

sig.test("one that has ended is refused", function(t)
  local bob = t:client { user = "bob", auth = "message", token = t:token { user = "bob", expires = "-1h" } }
  bob:joins "r1"
  bob:is_refused "TOKEN_EXPIRED"
  bob:is_closed(4401)
end)

sig.test("who comes back says it again, with what he resumes", function(t)
  local ann = scene.call(t, "ann")
  local bob = t:client { user = "bob", auth = "message" }
  bob:joins "r1"
  bob:drops()
  ann:sends("chat-message", { content = "missed" })
  assert(bob:resumes().payload.resumed)
  bob:receives("chat-message", { content = "missed" })
end)
