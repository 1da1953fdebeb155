-- Types that nobody declares are not relayed; a declared one has one name on the wire, whatever alias a client uses.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.signaling", "std.presence", "std.media", "std.chat", "std.files", "std.e2ee" }
sig.type "wave" { alias = { "greet", "hello" } }

sig.test("what no policy declares is refused and not relayed", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("telepathy", { thought = 42 })
  assert(ann:is_refused("UNKNOWN_TYPE").payload.message == "no policy declares this message type")
  bob:receives_nothing()
end)

sig.test("aliases are delivered under the declared name", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("ice_candidate", { candidate = "" })
  ann:sends("media_control", { action = "mute", media_type = "audio" })
  ann:sends("screen_share_control", { action = "start" })
  ann:sends("file_share_accept", { transfer_id = "f1" })
  ann:sends("greet", {})
  ann:sends("hello", {})
  for _, type in ipairs { "ice-candidate", "media-control", "screen-share-control", "file-share-accept", "wave", "wave" } do
    bob:receives(type)
  end
  bob:receives_nothing()
end)

sig.test("names are told apart by every letter", function(t)
  local ann = scene.call(t, "ann")
  for _, name in ipairs { "Chat-Message", "chat-messages", "chat message", "" } do
    ann:sends(name, { content = "x" })
    ann:is_refused "UNKNOWN_TYPE"
  end
end)
