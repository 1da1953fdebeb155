-- WEBSOCKET_FRAME_BYTES: 65,536 bytes pass, one more closes with 1009, without a word.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.analytics" }

local function frame(bytes)
  local head, tail = '{"type":"analytics-event","payload":{"event_type":"x","data":"', '"}}'
  return head .. ("d"):rep(bytes - #head - #tail) .. tail
end

sig.test("a message of 65,536 bytes passes", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends_raw(frame(65536))
  bob:receives "analytics-event"
end)

sig.test("one byte more closes with 1009", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends_raw(frame(65537))
  ann:is_closed(1009)
  ann:receives_nothing "error"
  bob:receives("user-left", { user_id = "ann", reason = "closed" })
  bob:receives_nothing "analytics-event"
end)
