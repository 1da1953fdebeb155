-- Virtual backgrounds: an address is one of a picture, and who comes later knows.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.background" }

sig.test("addresses of pictures pass, in both dialects", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local old = t:client { user = "old", dialect = "compat" }
  old:joins "r1"
  local good = { "https://x/y.png", "HTTP://x/y.png", "/pictures/beach.jpg", "blob:https://x/1", "data:image/png;base64,AA==", "" }
  for _, url in ipairs(good) do
    for _, client in ipairs { ann, old } do
      client:sends("virtual-background-update", { background_type = "image", background_url = url })
      bob:receives("virtual-background-update", { background_url = url })
    end
    t:advance "1s"
  end
end)

sig.test("others are refused", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local wrong = { "javascript:alert(1)", "JavaScript:x", "data:text/html,x", "data:image/svg+xml,x", "file:///etc/passwd" }
  wrong[#wrong + 1] = "https://x/'onerror="
  wrong[#wrong + 1] = "java\nscript:x"
  wrong[#wrong + 1] = "https://x/" .. ("y"):rep(2048)
  for _, url in ipairs(wrong) do
    ann:sends("virtual-background-update", { background_type = "image", background_url = url })
    assert(ann:is_refused("INVALID_MESSAGE").payload.details.field == "payload.background_url")
    t:advance "20s"
  end
  bob:receives_nothing()
end)

sig.test("who comes later finds the last one of each who is here", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("virtual-background-update", { background_type = "blur" })
  ann:sends("virtual-background-update", { background_type = "none" })
  bob:sends("virtual-background-update", { background_type = "blur" })
  bob:leaves()
  local kept = t:client("eve"):joins("r1").payload.kept
  assert(#kept == 1 and kept[1].payload.background_type == "none" and kept[1].sender_id == "ann")
end)
