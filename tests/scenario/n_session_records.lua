-- Who was in which room, from when to when, is recorded when somebody has entered and again when he has left.
local sig = require "lunasig"
sig.use { "std.presence", "std.session_record" }

sig.route("GET /webrtc/rooms/:room/sessions", {}, function(_, room)
  return 200, sig.json.array(sig.store.room_sessions:list { prefix = room.id .. "/" })
end)

local function sessions(client)
  local list = {}
  for i, found in ipairs(client:requests("GET /webrtc/rooms/r1/sessions").body) do
    list[i] = found.value
  end
  return list
end

sig.test("a session begins when somebody has entered and ends when he has left", function(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"
  t:advance "1s"
  bob:joins "r1"
  t:advance "30s"
  bob:leaves()
  t:advance "1s"
  local list = sessions(ann)
  assert(#list == 2 and list[1].user_id == "ann" and list[1].room_id == "r1" and list[1].left_at == nil)
  local of_bob = list[2]
  assert(of_bob.user_id == "bob" and of_bob.username == "bob" and of_bob.reason == "bye" and of_bob.role == "participant")
  assert(of_bob.seconds >= 30 and of_bob.seconds < 40 and of_bob.joined_at < of_bob.left_at)
end)

sig.test("who comes again has another session; who was away for a moment has not", { virtual = true }, function(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"
  bob:joins "r1"
  bob:vanishes()
  t:advance "5s"
  bob:resumes()
  t:advance "1s"
  assert(#sessions(ann) == 2)
  bob:leaves()
  t:advance "1s"
  bob:joins "r1"
  t:advance "1s"
  local list = sessions(ann)
  assert(#list == 3 and list[2].left_at and not list[3].left_at)
end)

sig.test("a database that is down keeps nobody from coming and going; what is not written is counted", function(t)
  t:store "down"
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"
  bob:joins "r1"
  t:advance "1s"
  t:expects_metric("records_dropped", 2, { collection = "room_sessions" })
  t:store "up"
  bob:leaves()
  ann:receives("user-left", { user_id = "bob" })
  t:advance "1s"
  local list = sessions(ann)
  assert(#list == 1 and list[1].user_id == "bob" and list[1].left_at)
end)
