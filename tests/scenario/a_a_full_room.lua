-- WEBRTC_MAX_PARTICIPANTS_PER_ROOM, and sig.seat below it.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }

sig.on("join", function(room)
  if room.id == "small" then sig.seat { max = 2 } end
  if room.id == "small" then sig.seat { max = 3 } end -- the smallest of all holds
end)

local function fill(t, room, count)
  local last
  for i = 1, count do
    last = t:client("user" .. i)
    last:joins(room)
  end
  return last
end

sig.test("the fifty-first member of a room finds no seat", function(t)
  fill(t, "r1", 50)
  local late = t:client "late"
  late:joins "r1"
  local refusal = late:is_refused "ROOM_FULL"
  assert(refusal.payload.details.limit == 50)
  late:is_closed(1008)
end)

sig.test("a policy may have fewer seats, and a seat that is left is free at once", function(t)
  local last = fill(t, "small", 2)
  local late = t:client "late"
  late:joins "small"
  assert(late:is_refused("ROOM_FULL").payload.details.limit == 2)
  last:leaves()
  late:joins "small"
end)

sig.test("a second connection of a member needs no seat", function(t)
  fill(t, "small", 2)
  t:client("user1"):joins "small"
end)

sig.test("who is away keeps his seat until he has left", function(t)
  local ann = scene.call(t, "ann")
  local away = fill(t, "small", 2)
  away:drops()
  local late = t:client "late"
  late:joins "small"
  late:is_refused "ROOM_FULL"
  t:advance "31s"
  late:joins "small"
  ann:receives_nothing()
end)
