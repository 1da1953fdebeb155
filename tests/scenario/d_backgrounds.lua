-- Virtual backgrounds.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.background" }

sig.test("a background is one of four kinds", function(t)
  local full = { user_id = "ann", background_type = "blur", background_url = "https://x/y.png", blur_intensity = 0.5 }
  full.timestamp = "2026-01-05T12:00:00Z"
  scene.checks_payload(t, "virtual-background-update", full, { background_type = "none" }, {
    { "background_type" },
    { "background_type", "beach" },
    { "user_id", 5 },
    { "background_url", 5 },
    { "blur_intensity", "strong" },
    { "timestamp", 5 },
    { "extra", true, "payload" },
  })
end)

sig.test("all four kinds are known", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, kind in ipairs { "none", "blur", "image", "video" } do
    ann:sends("virtual-background-update", { background_type = kind })
    bob:receives("virtual-background-update", { background_type = kind })
  end
end)
