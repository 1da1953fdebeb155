-- Texts that are refused, names that are cleaned, and that hostile texts cost no more than others.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat", "std.reactions" }

sig.test("a text that is too long is refused in the compat dialect, too", function(t)
  local ann, old = t:client "ann", t:client { user = "old", dialect = "compat" }
  ann:joins "r1"
  old:joins "r1"
  old:sends("chat_message", { content = ("ü"):rep(16384) })
  ann:receives("chat-message", { content = ("ü"):rep(16384) })
  old:sends("chat_message", { content = ("ü"):rep(16385) })
  old:is_refused "MESSAGE_TOO_LARGE"
  ann:receives_nothing "chat-message"
end)

sig.test("a text of which nothing is left is refused", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, content in ipairs { "<img src=x onerror=alert(1)>", "<b> </b>", "\1\2", "<!-- x -->\n" } do
    ann:sends("chat-message", { content = content })
    ann:is_refused "MALICIOUS_CONTENT"
  end
  bob:receives_nothing "chat-message"
end)

sig.test("names lose tags, line breaks and what turns writing over, in messages and reactions", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for name, clean in pairs {
    ["Ann"] = "Ann",
    ["Zoë <3"] = "Zoë <3",
    ["<b>Ann</b>"] = "Ann",
    [" Ann\n\tB. "] = "Ann B.",
    ["\226\128\174nnA"] = "nnA",
    [("é"):rep(200)] = ("é"):rep(128),
  } do
    ann:sends("chat-message", { content = "x", username = name })
    bob:receives("chat-message", t.exactly { content = "x", username = clean })
    ann:sends("reaction", { reaction_type = "clap", username = name })
    bob:receives("reaction", t.exactly { reaction_type = "clap", username = clean })
  end
  ann:sends("chat-message", { content = "x", username = "<b>" })
  bob:receives("chat-message", t.exactly { content = "x" })
end)

sig.test("the worst texts are done within a hook's time", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, part in ipairs { "<", "<a", "<<a>", "<a>", "<a b", "\194\128", "\1x", "<!" } do
    local content = "x" .. part:rep(math.floor(8000 / #part)) .. "x"
    ann:sends("chat-message", { content = content })
    bob:receives "chat-message"
    t:advance "1s"
  end
end)
