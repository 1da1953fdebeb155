-- Nobody is recorded who has not agreed. The host starts a recording when all who are present have agreed; as soon as somebody comes
-- who has not, or takes his word back, the server announces a pause to all, and it goes on when all have agreed again.
local sig = require "lunasig"

sig.policy { name = "recording_consent", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat", "std.recording" }

sig.room_state {
  agreed = sig.set { max = 1000 },
  recording = sig.value { type = sig.string }, -- its id, while it runs or pauses
}

sig.type "recording-consent" { payload = sig.object { agrees = sig.boolean }, rate = "1/s burst 5 per user" }
sig.type.extend "recording-control" { from = "host", absent = "error" }

local function missing(room)
  local names = sig.json.array {}
  for _, member in ipairs(room:members()) do
    if not room.state.agreed:has(member.id) and #names < 10 then names[#names + 1] = member.id end
  end
  return names
end

local function pause(room)
  if not room.state.recording then return end
  room:send("recording-control", { action = "pause", recording_id = room.state.recording })
end

sig.on("message:recording-consent", function(room, member, message)
  if message.payload.agrees then
    room.state.agreed:add(member.id)
  elseif room.state.agreed:remove(member.id) then
    pause(room)
  end
end)

sig.on("message:recording-control", function(room, _, message)
  local order = message.payload
  local names = missing(room)
  if (order.action == "start" or order.action == "resume") and #names > 0 then
    return sig.deny("CONSENT_MISSING", "not everybody has agreed to be recorded", { missing = names })
  end
  if order.action == "start" then room.state.recording = order.recording_id end
  if order.action == "stop" then room.state.recording = nil end
  message:to "room"
end)

sig.on("join", pause) -- who comes has not agreed yet

sig.on("leave", function(room, member)
  room.state.agreed:remove(member.id)
end)
