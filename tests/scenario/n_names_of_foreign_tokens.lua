-- Tokens that were made elsewhere may name their users as they like: others hear such names cleaned.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.names", "std.presence", "std.participants", "std.hand_raise", "std.quality" }

local function called(t, name)
  local ann, eve = scene.call(t, "ann"), t:client { user = "eve", claims = { username = name } }
  eve:joins "r1"
  return ann, eve
end

local names = {
  { "<b>Eve</b>", "Eve" },
  { "\226\128\174Eve", "Eve" }, -- turns writing over
  { "<script>", "eve" }, -- nothing is left of it: her id
  { "Eve < Ann", "Eve < Ann" },
}

local function name_in(frame)
  for _, one in ipairs(frame.payload.participants) do
    if one.user_id == "eve" then return one.username end
  end
end

sig.test("for those who are there, and for who comes", function(t)
  for _, case in ipairs(names) do
    local ann, eve, max = scene.call(t, "ann"), t:client { user = "eve", claims = { username = case[1] } }, t:client "max"
    assert(name_in(eve:joins "r1") == case[2] and name_in(max:joins "r1") == case[2])
    ann:receives("user-joined", { user_id = "eve", username = case[2] })
    eve:leaves()
    ann:receives("user-left", { user_id = "eve", username = case[2] })
    max:leaves()
    ann:leaves()
  end
end)

sig.test("in lists, queues and updates", function(t)
  for _, case in ipairs(names) do
    local ann, eve = called(t, case[1])
    for _, path in ipairs { "participants", "participants/enhanced" } do
      assert(ann:requests("/webrtc/rooms/r1/" .. path).body.participants[2].username == case[2])
    end
    eve:sends("hand-raise", { raised = true })
    ann:receives("hand-raise-queue", { queue = { { user_id = "eve", username = case[2] } } })
    eve:requests "POST /webrtc/rooms/r1/hand-raise?raised=false"
    ann:receives { type = "hand-raise", sender_id = "eve", payload = { username = case[2], raised = false } }
    eve:sends("network-stats", { latency = 400 })
    ann:receives("participant-update", { participant = { user_id = "eve", username = case[2] } })
    eve:leaves()
    ann:leaves()
  end
end)
