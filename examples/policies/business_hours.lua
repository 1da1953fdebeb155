-- Rooms are open on weekdays from 8 to 18 o'clock UTC. Outside of that nobody comes in, and at closing time calls end, with a warning
-- five minutes before. Support staff (a claim of the token) comes and stays at any time.
local sig = require "lunasig"

sig.policy { name = "business_hours", api = 1 }
sig.use { "std.presence", "std.roles", "std.signaling", "std.media", "std.chat" }

local opens, closes, warns_s = 8, 18, 300

-- Seconds until the rooms close; nil: they are closed.
local function open_for()
  local now = os.date("!*t")
  local weekend = now.wday == 1 or now.wday == 7
  if weekend or now.hour < opens or now.hour >= closes then return nil end
  return (closes - now.hour) * 3600 - now.min * 60 - now.sec
end

sig.type "closing-soon" { from = "server" }

sig.on("join", function(room, member)
  local left = open_for()
  if left and not room:timer "close" then
    if left > warns_s then room:after(left - warns_s, "warn") end
    room:after(left, "close")
  elseif not left and member.claims.staff ~= true then
    return sig.deny("CLOSED", ("open on weekdays, %d:00 to %d:00 UTC"):format(opens, closes))
  end
end)

sig.on("timer:warn", function(room)
  room:send("closing-soon", { seconds = warns_s })
end)

sig.on("timer:close", function(room)
  for _, member in ipairs(room:members()) do
    if member.claims.staff ~= true then member:close(1008, "we are closed now: see you tomorrow") end
  end
end)
