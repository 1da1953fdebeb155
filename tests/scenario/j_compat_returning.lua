-- Clients of the original ask for nothing: the same user who comes back within the window gets what was queued for him.
local sig = require "lunasig"
sig.use { "std.presence", "std.chat" }

local function old_and_ann(t)
  local old, ann = t:client { user = "old", dialect = "compat" }, t:client "ann"
  ann:joins "r1"
  old:joins "r1"
  ann:receives "user-joined"
  return old, ann
end

sig.test("who returns within thirty seconds hears what was said meanwhile", function(t)
  local old, ann = old_and_ann(t)
  old:drops()
  ann:receives("user-away", { user_id = "old" })
  ann:sends("chat-message", { content = "one" })
  ann:sends("chat-message", { content = "two" })
  t:advance "10s"
  local welcome = old:resumes().payload
  assert(welcome.reconnected == true and welcome.missed_message_count == 2)
  old:receives("chat-message", { content = "one" })
  old:receives("chat-message", { content = "two" })
  ann:receives("user-back", { user_id = "old" })
end)

sig.test("who returns later comes as anybody does", function(t)
  local old, ann = old_and_ann(t)
  old:drops()
  ann:sends("chat-message", { content = "one" })
  t:advance "31s"
  assert(old:resumes().payload.reconnected ~= true)
  old:receives_nothing "chat-message"
  ann:receives("user-left", { user_id = "old", reason = "timeout" })
  ann:receives("user-joined", { user_id = "old" })
end)

sig.test("who said good-bye has left", function(t)
  local old, ann = old_and_ann(t)
  old:leaves()
  ann:receives("user-left", { user_id = "old", reason = "bye" })
  assert(old:resumes().payload.reconnected ~= true)
end)
