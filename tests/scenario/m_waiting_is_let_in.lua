-- Who is let in enters as if he had just come: he gets the whole room-state, and the others what they get when somebody joins.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.room_settings", "std.waiting_room", "std.chat" }
sig.type.extend "chat-message" { keep = "log 5" }

local path = "POST /webrtc/rooms/r1/waiting-room/"

-- Ann (lunasig.v1) is host, Old (compat) is in.
local function house(t)
  local ann, old = t:client "ann", t:client { user = "old", dialect = "compat" }
  ann:joins "r1"
  old:joins "r1"
  assert(ann:requests("POST /webrtc/rooms/r1/settings", { enable_waiting_room = true }).status == 200)
  old:receives "room-settings-update"
  ann:sends("chat-message", { content = "before" })
  old:receives "chat-message"
  return ann, old
end

sig.test("lunasig.v1: the whole room-state with what is kept; the resume token stays as it is", function(t)
  local ann, old = house(t)
  local eve = t:client "eve"
  eve:joins "r1"
  ann:sends("chat-message", { content = "while you wait" })
  old:receives("chat-message", { content = "while you wait" })
  assert(ann:requests(path .. "eve/admit").status == 200)
  local state = eve:receives("room-state").payload
  assert(state.participant_count == 3 and #state.participants == 3)
  assert(state.participants[3].user_id == "eve" and state.participants[3].waiting == nil)
  assert(#state.kept == 2 and state.kept[2].payload.content == "while you wait")
  assert(state.self.user_id == "eve" and state.self.waiting == nil and state.ice_servers and state.session == nil)
  eve:receives("waiting-room-admit", { user_id = "eve", actioned_by = "ann" })
  eve:drops()
  assert(eve:resumes().payload.resumed == true)
end)

sig.test("compat: exactly one room-state, and then what the room hears", function(t)
  local ann = house(t)
  local eve = t:client { user = "eve", dialect = "compat" }
  eve:joins "r1"
  ann:requests(path .. "eve/admit")
  local state = eve:receives("room-state").payload
  assert(state.participant_count == 3 and #state.kept == 1)
  eve:receives "waiting-room-admit"
  eve:receives_nothing()
end)

sig.test("the others: room-state and user-joined in compat, user-joined in lunasig.v1, with its peers", function(t)
  local ann, old = house(t)
  local eve = t:client "eve"
  local peer = scene.peer(eve:joins "r1")
  ann:receives "waiting-room-join"
  ann:requests(path .. "eve/admit")
  local joined = ann:receives("user-joined", { user_id = "eve", role = "participant" }).payload
  assert(joined.peers[1].peer_id == peer)
  ann:receives "waiting-room-admit"
  ann:receives_nothing()
  local state = old:receives("room-state").payload
  assert(state.participant_count == 3)
  old:receives("user-joined", { user_id = "eve" })
  old:receives "waiting-room-admit"
  old:receives_nothing()
end)

sig.test("who is let in once is in: again there is nobody to let in, and whom he was shown to hears nothing twice", function(t)
  local ann = house(t)
  local eve = t:client "eve"
  eve:joins "r1"
  assert(ann:requests(path .. "eve/admit").status == 200)
  assert(ann:requests(path .. "eve/admit").status == 404)
  assert(ann:requests(path .. "eve/reject").status == 404)
  ann:receives("user-joined", { user_id = "eve" })
  ann:receives_nothing "user-joined"
end)

sig.test("while he is away: he hears of it when he resumes", function(t)
  local ann = house(t)
  local eve = t:client "eve"
  eve:joins "r1"
  ann:receives "waiting-room-join"
  eve:drops()
  ann:requests(path .. "eve/admit")
  ann:receives("user-joined", { user_id = "eve" })
  ann:receives("user-away", { user_id = "eve" })
  local state = eve:resumes()
  assert(state.payload.resumed == true and state.payload.self.waiting == nil and state.payload.participant_count == 3)
  assert(eve:receives("room-state").payload.kept)
  eve:receives("waiting-room-admit", { user_id = "eve" })
  ann:receives("user-back", { user_id = "eve" })
end)

sig.test("a compat client that is let in while it is away returns as one who is in", function(t)
  local ann = house(t)
  local eve = t:client { user = "eve", dialect = "compat" }
  eve:joins "r1"
  eve:drops()
  ann:requests(path .. "eve/admit")
  assert(eve:resumes().payload.participant_count == 3)
  eve:sends("chat-message", { content = "here I am" })
  ann:receives("chat-message", { content = "here I am" })
end)

sig.test("with two connections he waits on both, and both are let in", function(t)
  local ann = house(t)
  local eve, also = t:client "eve", t:client "eve"
  eve:joins "r1"
  ann:receives "waiting-room-join"
  assert(also:joins("r1").payload.self.waiting)
  eve:receives_nothing() -- no peer-joined
  ann:receives_nothing()
  ann:requests(path .. "eve/admit")
  for _, one in ipairs { eve, also } do
    assert(#one:receives("room-state").payload.participants[3].peers == 2)
    one:receives_nothing "user-joined"
  end
  assert(#ann:receives("user-joined").payload.peers == 2)
end)

sig.test("kicked while he waits, he is gone, and nobody else hears of it", function(t)
  local ann, old = house(t)
  local eve = t:client "eve"
  eve:joins "r1"
  ann:receives "waiting-room-join"
  ann:requests(path .. "eve/reject")
  eve:receives("waiting-room-reject", { user_id = "eve" })
  eve:is_closed(4403)
  ann:receives_nothing()
  old:receives_nothing()
  assert(#t:room("r1").members == 2)
end)

sig.test("who becomes host later sees the list", function(t)
  local ann, old = house(t)
  local eve = t:client "eve"
  eve:joins "r1"
  ann:leaves()
  local list = old:requests("/webrtc/rooms/r1/waiting-room")
  assert(list.status == 200 and list.body.participants[1].user_id == "eve")
  assert(old:requests(path .. "eve/admit").status == 200)
end)
