-- `auth` with a fresh token keeps a connection open; a bad one changes nothing.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }
sig.type "my-plan" { to = "server" }
sig.on("message:my-plan", function(_, member)
  member:send("plan", { plan = member.claims.plan })
end)

sig.test("a fresh token is told, and the connection outlives the old one", function(t)
  local ann = scene.call(t, "ann")
  local bob = t:client { user = "bob", expires = "10min" }
  bob:joins "r1"
  bob:receives { type = "token-expiring", within = "9min" }
  bob:refreshes { expires = "1h" }
  bob:receives("token-refreshed", { expires_at = t.any })
  t:advance "20min"
  bob:sends("chat-message", { content = "still here" })
  ann:receives("chat-message", { content = "still here" })
end)

sig.test("its claims are those that policies see", function(t)
  local bob = t:client { user = "bob", claims = { plan = "free" } }
  bob:joins "r1"
  bob:refreshes { claims = { plan = "pro" }, expires = "1h" }
  bob:receives "token-refreshed"
  bob:sends("my-plan", {})
  bob:receives("plan", { plan = "pro" })
end)

sig.test("a bad token is refused, and the old one holds", function(t)
  local bob = t:client "bob"
  bob:joins "r1"
  bob:sends("auth", { token = t:token { user = "bob", key = "other" } })
  bob:is_refused "TOKEN_INVALID"
  bob:sends("auth", { token = t:token { user = "eve" } })
  bob:is_refused "TOKEN_INVALID"
  bob:sends("auth", {})
  bob:is_refused()
  bob:sends("ping", {})
  bob:receives "pong"
end)
