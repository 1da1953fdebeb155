-- The hooks of a room's life: room_open, join, away, back, resume, leave with its reason, room_close.
local sig = require "lunasig"
sig.use { "std.presence" }

local diary = {} -- a list of lines by room; each test has a room of its own, because variables are shared by all tests

local function note(event)
  return function(room, member, reason)
    if event == "join" and room.count == 0 then diary[room.id] = {} end
    table.insert(diary[room.id], event .. (member and " " .. member.id or "") .. (reason and " " .. reason or ""))
  end
end
for _, event in ipairs { "room_open", "join", "away", "back", "resume", "leave", "room_close" } do
  sig.on(event, note(event))
end

sig.type "read" { to = "server", payload = sig.object { room = sig.string } }
sig.on("message:read", function(_, member, message)
  member:send("diary", { lines = diary[message.payload.room] })
end)

local function read(t, room)
  local reader = t:client "reader"
  reader:joins "library"
  reader:sends("read", { room = room })
  return table.concat(reader:receives("diary").payload.lines, ", ")
end

local function both(t, room)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins(room)
  bob:joins(room)
  return ann, bob
end

sig.test("they come in their order", function(t)
  local ann, bob = both(t, "order")
  bob:drops()
  bob:resumes()
  bob:leaves()
  ann:leaves()
  local lines = read(t, "order")
  assert(lines == "join ann, room_open, join bob, away bob, back bob, resume bob, leave bob bye, leave ann bye, room_close", lines)
end)

sig.test("a leave says why", function(t)
  local ann, bob = both(t, "reasons")
  bob:drops()
  t:advance "31s"
  for _ = 1, 10 do
    ann:sends_raw "nonsense"
  end
  local lines = read(t, "reasons")
  assert(lines:find "leave bob timeout, leave ann closed, room_close$", lines)
end)

sig.test("a second connection neither joins nor leaves", function(t)
  local ann, second = t:client "ann", t:client "ann"
  ann:joins "twice"
  second:joins "twice"
  second:leaves()
  assert(read(t, "twice") == "join ann, room_open")
end)
