-- A token that ends: a warning a minute before, and the close at its end plus JWT_LEEWAY_S (30 s).
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

sig.on("token_expiring", function(member, seconds)
  member.data.told = seconds
end)

sig.test("a minute before its end the client is told", function(t)
  local ann = t:client { user = "ann", expires = "10min" }
  ann:joins "r1"
  ann:receives_nothing { type = "token-expiring", within = "539s" }
  local expires_at = ann:receives({ type = "token-expiring", within = "1s" }).payload.expires_at
  assert(expires_at == 1767614400 + 600) -- 2026-01-05, noon, and ten minutes
  assert(t:room("r1").members[1].data.told == 60)
end)

sig.test("thirty seconds behind its end the connection is closed, and its owner has left", function(t)
  local ann = scene.call(t, "ann")
  local bob = t:client { user = "bob", expires = "10min" }
  bob:joins "r1"
  t:advance "629s"
  bob:sends("chat-message", { content = "still here" })
  ann:receives("chat-message", { content = "still here" })
  bob:is_closed(4401, { within = "1s" })
  bob:is_refused "TOKEN_EXPIRED"
  ann:receives("user-left", { user_id = "bob", reason = "expired" })
end)

sig.test("clients of the compat dialect are not warned, and are closed all the same", function(t)
  local old = t:client { user = "old", dialect = "compat", expires = "10min" }
  old:joins "r1"
  old:is_closed(4401, { within = "11min" })
  old:receives_nothing "token-expiring"
  old:is_refused "TOKEN_EXPIRED"
end)

sig.test("who comes back with a fresh token resumes", function(t)
  local ann = scene.call(t, "ann")
  local bob = t:client { user = "bob", expires = "40s" }
  bob:joins "r1"
  t:advance "30s"
  bob:drops()
  t:advance "15s"
  assert(bob:resumes().payload.resumed)
  t:advance "30s"
  bob:sends("chat-message", { content = "hello" })
  ann:receives "chat-message"
end)

sig.test("who is away when his token ends has left", function(t)
  local ann = scene.call(t, "ann")
  local bob = t:client { user = "bob", expires = "10s" }
  bob:joins "r1"
  t:advance "20s"
  bob:drops()
  ann:receives { type = "user-left", payload = { user_id = "bob" }, within = "31s" }
end)
