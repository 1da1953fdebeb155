-- RESUME_FRAMES: of what somebody missed 500 frames are kept. Who missed more comes back all the same, to the state as it is now.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.signaling", "std.presence" }

local function missed(t, count)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:drops()
  for _ = 1, count do
    ann:sends("ice-candidate", { candidate = "" })
  end
  return bob:resumes().payload, bob
end

sig.test("five hundred frames are kept", function(t)
  local payload, bob = missed(t, 500)
  assert(payload.resumed == true)
  for _ = 1, 500 do
    bob:receives "ice-candidate"
  end
end)

sig.test("who missed more gets the state instead, as the same peer", function(t)
  local payload, bob = missed(t, 501)
  assert(payload.resumed == false and payload.self.join_seq == 2 and payload.participant_count == 2)
  bob:receives_nothing()
end)
