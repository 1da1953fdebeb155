-- A hook of a type may say that the bundle need not have that type: then it runs where the type is declared, and is passed over elsewhere.
local sig = require "lunasig"
local scene = require "scene"
sig.policy { name = "quiet", api = 1 }

for _, type in ipairs { "chat-message", "telepathy" } do -- nobody declares telepathy
  sig.on("message:" .. type, { optional = true }, function(_, _, message)
    return sig.deny("QUIET", "not now", { type = message.type })
  end)
end

sig.use { "std.presence", "std.chat" } -- the type may be declared behind the hook

sig.test("it runs where the type is declared", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("chat-message", { content = "hello" })
  assert(ann:is_refused("QUIET").payload.details.type == "chat-message")
  bob:receives_nothing "chat-message"
end)

sig.test("a type that nobody declares stays unknown", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("telepathy", {})
  ann:is_refused "UNKNOWN_TYPE"
end)
