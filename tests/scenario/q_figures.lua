-- What the server says about itself in figures, to everybody.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.stats" }
sig.type "say" { payload = sig.object({}, { extra = true }) }

local function stats(t)
  local answer = t:request "GET /webrtc/stats"
  assert(answer.status == 200)
  return answer.body
end

local function fill(t, room, count)
  for i = 1, count do
    t:client(("%s%d"):format(room, i)):joins(room)
  end
end

sig.test("an empty server", function(t)
  local now = stats(t)
  assert(now.rooms == 0 and now.participants == 0 and now.connections == 0 and now.away == 0)
  assert(#now.top_rooms == 0 and now.uptime_seconds == 0)
  for _, size in ipairs { "1-5", "6-10", "11-25", "26-50", "51+" } do
    assert(now.rooms_by_size[size] == 0, size)
  end
  t:advance "90s"
  assert(stats(t).uptime_seconds == 90)
end)

sig.test("rooms by size, and the largest ones without their names", function(t)
  fill(t, "six", 6)
  fill(t, "two", 2)
  fill(t, "five", 5)
  fill(t, "eleven", 11)
  local now = stats(t)
  assert(now.rooms == 4 and now.participants == 24 and now.connections == 24)
  local by_size, top = now.rooms_by_size, now.top_rooms
  assert(by_size["1-5"] == 2 and by_size["6-10"] == 1 and by_size["11-25"] == 1 and by_size["26-50"] == 0 and by_size["51+"] == 0)
  assert(#top == 4 and top[1].participants == 11 and top[2].participants == 6 and top[3].participants == 5)
  for _, room in ipairs(top) do
    assert(room.room_id == nil)
  end
end)

sig.test("who leaves is counted no more, who is away counts as such", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local second = t:client "ann"
  second:joins "r1"
  local now = stats(t)
  assert(now.rooms == 1 and now.participants == 2 and now.connections == 3 and now.away == 0)
  bob:drops()
  now = stats(t)
  assert(now.participants == 2 and now.connections == 2 and now.away == 1)
  bob:resumes()
  now = stats(t)
  assert(now.connections == 3 and now.away == 0)
  for _, client in ipairs { ann, bob, second } do
    client:leaves()
  end
  now = stats(t)
  assert(now.rooms == 0 and now.participants == 0 and now.connections == 0 and now.rooms_by_size["1-5"] == 0 and #now.top_rooms == 0)
end)

sig.test("the same counts as metrics", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local before = t:request("GET /webrtc/webrtc-metrics").body
  assert(before.rooms == 1 and before.participants == 2 and before.connections == 2 and before.top_rooms == nil)
  ann:sends("say", {})
  ann:sends("say", {})
  bob:receives "say"
  local now = t:request("GET /webrtc/webrtc-metrics").body
  assert(now.messages_relayed == before.messages_relayed + 2 and stats(t).messages_relayed == now.messages_relayed)
end)

-- How many are left of a burst of 50 depends on who has asked before, and on how fast this machine is.
sig.test("open routes have a rate", function(t)
  local answer
  for _ = 1, 200 do
    answer = t:request "GET /webrtc/stats"
    if answer.status ~= 200 then break end
  end
  assert(answer.status == 429 and answer.body.code == "RATE_LIMIT_EXCEEDED")
  assert(t:request("GET /webrtc/health").status == 200) -- each has its own
end)
