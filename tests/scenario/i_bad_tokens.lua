-- Tokens that are refused before there is a WebSocket: 401.
local sig = require "lunasig"
sig.use { "std.presence" }

local function refused(t, token)
  local ann = t:client { user = "ann", token = token }
  ann:joins "r1"
  ann:is_refused(401)
  assert(t:room "r1" == nil)
end

sig.test("a token of another key", function(t)
  refused(t, t:token { user = "ann", key = "other" })
end)

sig.test("a token that has ended, and was not just ending", function(t)
  refused(t, t:token { user = "ann", expires = "-31s" })
  t:client({ user = "ann", token = t:token { user = "ann", expires = "-10s" } }):joins "r1"
end)

sig.test("a text that is no token", function(t)
  refused(t, "hello")
end)

sig.test("a token that is for refreshing", function(t)
  refused(t, t:token { user = "ann", claims = { type = "refresh" } })
end)
