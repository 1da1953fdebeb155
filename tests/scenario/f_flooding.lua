-- Who goes on for ten seconds without a pause although he is refused is closed with 4429.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

-- Twice a second more than the rate allows.
local function floods(t, client, seconds)
  for _ = 1, seconds * 2 do
    t:advance "500ms"
    for _ = 1, 6 do
      client:sends("chat-message", { content = "x" })
    end
  end
end

local function use_up(client)
  for _ = 1, 100 do
    client:sends("chat-message", { content = "x" })
  end
end

sig.test("ten seconds of flooding close with 4429, and he has left", { virtual = true }, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  use_up(ann)
  floods(t, ann, 10)
  assert(t:room("r1").count == 2)
  t:advance "500ms"
  ann:sends("chat-message", { content = "x" })
  ann:is_refused "RATE_LIMIT_EXCEEDED"
  for _ = 1, 5 do
    ann:sends("chat-message", { content = "x" })
  end
  ann:is_closed(4429)
  bob:receives("user-left", { user_id = "ann", reason = "closed" })
  assert(not ann:resumes().payload.resumed)
end)

sig.test("who pauses for more than a second begins anew", { virtual = true }, function(t)
  local ann = scene.call(t, "ann", "bob")
  use_up(ann)
  floods(t, ann, 6)
  t:advance "1100ms"
  floods(t, ann, 6)
  assert(t:room("r1").count == 2)
  ann:is_refused "RATE_LIMIT_EXCEEDED"
end)
