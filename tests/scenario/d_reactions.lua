-- Reactions: eight of them.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.reactions" }

sig.test("a reaction is one of eight", function(t)
  local full = { user_id = "ann", username = "Ann", reaction_type = "heart", timestamp = "2026-01-05T12:00:00Z" }
  scene.checks_payload(t, "reaction", full, { reaction_type = "clap" }, {
    { "reaction_type" },
    { "reaction_type", "frown" },
    { "user_id", {} },
    { "username", 5 },
    { "timestamp", 5 },
    { "extra", true, "payload" },
  })
end)

sig.test("all eight reach everybody else", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  for _, reaction in ipairs { "thumbs_up", "thumbs_down", "clap", "heart", "laugh", "surprised", "thinking", "celebrate" } do
    ann:sends("reaction", { reaction_type = reaction })
    bob:receives("reaction", { reaction_type = reaction })
    eve:receives("reaction", { reaction_type = reaction })
  end
  ann:receives_nothing "reaction"
end)
