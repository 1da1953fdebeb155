-- WEBSOCKET_BYTE_RATE_LIMIT: 256 KiB a second and 2 MiB at once from one connection, whatever they are.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.analytics" }

local big = { event_type = "x", data = ("d"):rep(65000) }

sig.test("two mebibytes at once pass, and more is refused", { virtual = true }, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _ = 1, 33 do
    ann:sends("analytics-event", big)
  end
  local details = ann:is_refused("RATE_LIMIT_EXCEEDED").payload.details
  assert(details.rule == "bytes per connection" and details.limit == 262144 and details.burst == 2097152)
  for _ = 1, 32 do
    bob:receives "analytics-event"
  end
  bob:receives_nothing "analytics-event"
end)

sig.test("a quarter of a mebibyte may come each second", { virtual = true }, function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _ = 1, 32 do
    ann:sends("analytics-event", big)
  end
  t:advance "1s"
  for _ = 1, 5 do
    ann:sends("analytics-event", big)
  end
  ann:is_refused "RATE_LIMIT_EXCEEDED"
  for _ = 1, 36 do
    bob:receives "analytics-event"
  end
end)
