-- What the host has switched off is refused to everybody, message by message.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.room_settings", "std.chat", "std.media", "std.reactions", "std.files", "std.recording" }

local function set(host, settings)
  assert(host:requests("POST /webrtc/rooms/r1/settings", settings).status == 200)
end

local offer = { transfer_id = "t1", file_name = "a.txt", file_size = 10, file_type = "text/plain", total_chunks = 1 }
local switches = {
  { "enable_chat", "chat-message", { content = "hello" } },
  { "enable_screen_share", "screen-share-control", { action = "start" } },
  { "enable_reactions", "reaction", { reaction_type = "clap" } },
  { "enable_file_sharing", "file-share-offer", offer },
  { "enable_recording", "recording-control", { action = "start", recording_id = "x" } },
}

sig.test("each switch refuses its messages until it is on again", function(t)
  for _, case in ipairs(switches) do
    local name, type, payload = case[1], case[2], case[3]
    local ann, bob = scene.call(t, "ann", "bob")
    set(ann, { [name] = false })
    ann:sends(type, payload)
    assert(ann:is_refused("PERMISSION_DENIED").payload.details.setting == name)
    bob:receives_nothing(type)
    set(ann, { [name] = true })
    ann:sends(type, payload)
    bob:receives(type)
    bob:leaves()
    ann:leaves()
  end
end)

sig.test("when only observers are left, nothing is switched off any more", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  for _, user in ipairs { "bob", "eve" } do
    ann:requests("POST /webrtc/rooms/r1/roles/" .. user .. "?role=observer")
  end
  set(ann, { enable_chat = false })
  bob:sends("chat-message", { content = "hello" })
  bob:is_refused "PERMISSION_DENIED"
  ann:leaves()
  bob:sends("chat-message", { content = "hello" })
  eve:receives("chat-message", { content = "hello" })
end)
