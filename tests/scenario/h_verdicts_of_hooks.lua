-- What a message hook may say: go on, refuse, close, consume; and which hook comes first.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local verdicts = {
  deny = function() return sig.deny("NO_LINKS", "links are not allowed", { word = "http" }) end,
  bare = function() return sig.deny "NO" end,
  close = function() return sig.close(4001, "enough") end,
  handled = function() return sig.handled() end,
  accept = function() return sig.accept() end,
}
sig.on("message", function(_, _, message)
  local verdict = verdicts[message:get "content"]
  if verdict then return verdict() end
end)
sig.on("message:chat-message", function(_, _, message)
  if message.payload.content == "accept" then return sig.deny "NEVER_ASKED" end
  if message.payload.content == "later" then return sig.deny("LATER_HOOK", "the second hook refuses") end
end)

local function said(t, content)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:sends { type = "chat-message", payload = { content = content }, id = 1 }
  return ann, bob
end

sig.test("a refusal is an error with code, text and details, and nobody hears the message", function(t)
  local ann, bob = said(t, "deny")
  local refusal = bob:is_refused("NO_LINKS").payload
  assert(refusal.message == "links are not allowed" and refusal.details.word == "http" and refusal.details.id == 1)
  ann:receives_nothing()
end)

sig.test("a refusal without a text has one all the same", function(t)
  local _, bob = said(t, "bare")
  assert(bob:is_refused("NO").payload.message ~= "")
end)

sig.test("a close says why and closes", function(t)
  local ann, bob = said(t, "close")
  assert(bob:is_refused("POLICY_DENIED").payload.message == "enough")
  bob:is_closed(4001)
  ann:receives("user-left", { user_id = "bob", reason = "closed" })
end)

sig.test("what is handled is acknowledged and goes nowhere", function(t)
  local ann, bob = said(t, "handled")
  bob:receives("ack", { id = 1 })
  ann:receives_nothing()
end)

sig.test("accept passes the later hooks by; without it each is asked until one refuses", function(t)
  local ann, bob = said(t, "accept")
  ann:receives("chat-message", { content = "accept" })
  bob:sends("chat-message", { content = "later" })
  bob:is_refused "LATER_HOOK"
end)
