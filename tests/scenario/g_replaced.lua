-- A session that is resumed over another connection while the old one still looks open: that one is closed with 4409.
local sig = require "lunasig"
sig.use { "std.presence", "std.chat" }

-- As another tab with the same session would do it.
local function takes_over(t, user, session, seq)
  local tab = t:client { user = user, auth = "none" }
  tab:joins "r1"
  tab:sends("auth", { token = t:token { user = user }, resume = session.resume_token, seq = seq })
  return tab
end

sig.test("the old connection is replaced, and nobody has left", function(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"
  local welcome = bob:joins "r1"
  ann:receives "user-joined"
  local tab = takes_over(t, "bob", welcome.payload.session, welcome.seq)
  tab:receives("room-state", { resumed = true, self = { peer_id = welcome.payload.self.peer_id } })
  bob:is_closed(4409)
  ann:receives_nothing()
  ann:sends("chat-message", { content = "hello" })
  tab:receives("chat-message", { content = "hello" })
end)

sig.test("the session of another user cannot be taken", function(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"
  local welcome = bob:joins "r1"
  local tab = takes_over(t, "eve", welcome.payload.session, welcome.seq)
  tab:receives("room-state", { resumed = false, self = { user_id = "eve" } })
  bob:sends("chat-message", { content = "mine still" })
  ann:receives("chat-message", { content = "mine still" })
end)
