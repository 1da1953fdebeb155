local sig = require "lunasig"

sig.use "classroom"

local function class(t)
  local teacher, bob, eve = t:client { user = "smith", claims = { teaches = true } }, t:client "bob", t:client "eve"
  teacher:joins "r1"
  bob:joins "r1"
  eve:joins "r1"
  return teacher, bob, eve
end

sig.test("pupils cannot begin without the teacher", function(t)
  local bob = t:client { user = "bob", claims = { teaches = "yes" } }
  bob:joins "r1"
  bob:is_refused "CLASS_NOT_BEGUN"
  t:client({ user = "smith", claims = { teaches = true } }):joins "r1"
  bob:joins "r1"
  assert(t:room("r1").host == "smith")
end)

sig.test("everybody hears the teacher, and a pupil is heard by the teacher alone", function(t)
  local teacher, bob, eve = class(t)
  teacher:sends("chat-message", { content = "who knows?" })
  bob:receives("chat-message", { content = "who knows?" })
  bob:sends("chat-message", { content = "me!" })
  bob:sends("chat-message", { content = "what is it?" }, "eve")
  teacher:receives { type = "chat-message", sender_id = "bob", payload = { content = "me!" } }
  teacher:receives("chat-message", { content = "what is it?" })
  eve:receives("chat-message", { content = "who knows?" })
  eve:receives_nothing "chat-message"
end)

sig.test("a pupil who is called on is heard by everybody, and may show his screen", function(t)
  local teacher, bob, eve = class(t)
  bob:sends("screen-share-control", { action = "start" })
  bob:is_refused "PERMISSION_DENIED"
  teacher:sends("call-on", { user_id = "bob", speaks = true })
  bob:receives("role-updated", { user_id = "bob", role = "participant", updated_by = "smith" })
  bob:receives_nothing "call-on"
  bob:sends("screen-share-control", { action = "start" })
  bob:sends("chat-message", { content = "here it is" })
  eve:receives "screen-share-control"
  eve:receives("chat-message", { content = "here it is" })
  teacher:sends("call-on", { user_id = "bob", speaks = false })
  bob:sends("media-control", { action = "unmute", media_type = "audio" })
  bob:is_refused "PERMISSION_DENIED"
end)

sig.test("a pupil calls on nobody, and nobody can be called on who is not here", function(t)
  local teacher, bob = class(t)
  bob:sends("call-on", { user_id = "bob", speaks = true })
  bob:is_refused "PERMISSION_DENIED"
  teacher:sends("call-on", { user_id = "max", speaks = true })
  teacher:is_refused "NO_SUCH_PUPIL"
end)

sig.test("a second teacher teaches too", function(t)
  local _, bob = class(t)
  local jones = t:client { user = "jones", claims = { teaches = true } }
  jones:joins "r1"
  jones:sends("call-on", { user_id = "bob", speaks = true })
  bob:receives("role-updated", { user_id = "bob", role = "participant", updated_by = "jones" })
end)

sig.test("the class is nobody's when the teacher leaves, and his again when he returns", function(t)
  local teacher, bob = class(t)
  teacher:sends("call-on", { user_id = "bob", speaks = true })
  teacher:leaves()
  assert(t:room("r1").host == nil)
  bob:sends("chat-message", { content = "free!" })
  bob:is_refused "TEACHER_AWAY"
  teacher:joins "r1"
  assert(t:room("r1").host == "smith")
end)
