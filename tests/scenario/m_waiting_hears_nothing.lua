-- Who waits hears nothing at all of what goes on, in either dialect, and nobody but hosts and moderators knows of him.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.signaling", "std.roles", "std.room_settings", "std.waiting_room" }
sig.use { "std.chat", "std.media", "std.hand_raise", "std.participants" }

-- A policy that knows nothing of waiting: it tells the room, roles and somebody's list.
sig.type "bell" {}
sig.type "slide" { keep = "latest" }
sig.on("message:bell", function(room, _, message)
  room:send("bell-rung", {})
  room:send("bell-rung", {}, { to = { "participant", "moderator", "host" } })
  message:to { "ann", "bob", "eve", "old" }
end)

-- Ann is host, Bob is in; Eve and Old, who speaks compat, wait and have read their room-state.
local function waiting(t)
  local ann, bob = scene.call(t, "ann", "bob")
  assert(ann:requests("POST /webrtc/rooms/r1/settings", { enable_waiting_room = true }).status == 200)
  bob:receives "room-settings-update"
  local eve, old = t:client "eve", t:client { user = "old", dialect = "compat" }
  return ann, bob, eve, old, eve:joins "r1", old:joins "r1"
end

sig.test("his own room-state shows himself alone, and that he waits", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  ann:sends("slide", { page = 1 }) -- is kept
  local _, _, eve, old, of_eve, of_old = waiting(t)
  for name, state in pairs { eve = of_eve.payload, old = of_old.payload } do
    assert(state.participant_count == 1 and #state.participants == 1)
    assert(state.participants[1].user_id == name and state.participants[1].waiting == true)
    assert(state.kept == nil and state.session.resume_token)
  end
  assert(#t:client("ann"):joins("r1").payload.kept == 1)
  assert(of_eve.payload.self.waiting == true and of_eve.payload.self.role == "participant")
  eve:receives_nothing()
  old:receives_nothing()
end)

sig.test("who waits hears nothing of what is said, done and announced", function(t)
  local ann, bob, eve, old = waiting(t)
  local cat = t:client { user = "cat", dialect = "compat" }
  ann:requests "POST /webrtc/rooms/r1/roles/bob?role=moderator"
  bob:receives "role-updated"
  bob:sends("hand-raise", { raised = true })
  ann:receives "hand-raise-queue"
  ann:sends("bell", {})
  bob:receives "bell-rung"
  bob:receives "bell-rung"
  bob:receives "bell"
  ann:sends("chat-message", { content = "shall we?" })
  ann:requests("POST /webrtc/rooms/r1/participants/ann/info", { audio_enabled = false })
  ann:requests("POST /webrtc/rooms/r1/settings", { mute_on_entry = true })
  cat:joins "r1" -- waits too, and is let in
  assert(ann:requests("POST /webrtc/rooms/r1/waiting-room/cat/admit").status == 200)
  bob:receives("user-joined", { user_id = "cat" })
  cat:drops()
  cat:resumes()
  cat:leaves()
  bob:drops()
  bob:resumes()
  bob:leaves()
  ann:receives("user-left", { user_id = "bob" })
  eve:receives_nothing()
  old:receives_nothing()
end)

sig.test("nobody is told that he comes, is away or goes, and nobody counts him", function(t)
  local ann, bob, eve, old = waiting(t)
  ann:receives("waiting-room-join", { user_id = "eve" })
  ann:receives("waiting-room-join", { user_id = "old" })
  eve:drops()
  eve:resumes()
  eve:leaves()
  old:leaves()
  ann:receives_nothing()
  bob:receives_nothing()
  eve:joins "r1"
  ann:receives("waiting-room-join", { user_id = "eve" })
  bob:leaves()
  local state = bob:joins("r1").payload -- he was here before, but nobody let him in by name
  assert(state.self.waiting)
  assert(ann:requests("/webrtc/rooms/r1/participants").body.participant_count == 1)
end)

sig.test("a message to his connection is refused as one to himself, and so is his offer", function(t)
  local ann, _, eve, old, of_eve = waiting(t)
  ann:sends("offer", { sdp = scene.sdp, type = "offer" }, scene.peer(of_eve))
  assert(ann:is_refused("STILL_WAITING").payload.details.user_id == "eve")
  for _, who in ipairs { eve, old } do
    who:sends("offer", { sdp = scene.sdp, type = "offer" }, "ann")
    assert(who:is_refused("STILL_WAITING").payload.details.type == "offer")
    who:sends("no-such-type", {})
    who:is_refused "UNKNOWN_TYPE"
    who:sends("user-joined", {})
    who:is_refused "FORBIDDEN_TYPE"
  end
  eve:sends("ping", {})
  eve:receives "pong"
end)

sig.test("over HTTP he raises no hand", function(t)
  local ann, _, eve = waiting(t)
  assert(eve:requests("POST /webrtc/rooms/r1/hand-raise").status == 403)
  assert(ann:requests("/webrtc/rooms/r1/hand-raise/queue").body.count == 0)
end)
