-- What somebody may do is asked of each of his messages.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.roles", "std.permissions", "std.chat", "std.media", "std.files", "std.recording" }

local function say(by, user, permissions)
  local answer = by:requests("POST /webrtc/rooms/r1/permissions/" .. user, permissions)
  assert(answer.status == 200)
  return answer
end

local offer = { transfer_id = "t1", file_name = "a.txt", file_size = 10, file_type = "text/plain", total_chunks = 1 }
local messages = {
  { "can_send_chat", "chat-message", { content = "hello" } },
  { "can_share_screen", "screen-share-control", { action = "start" } },
  { "can_share_screen", "media-control", { action = "video_on", media_type = "screen-share" } },
  { "can_share_files", "file-share-offer", offer },
  { "can_speak", "media-control", { action = "unmute", media_type = "audio" } },
  { "can_share_video", "media-control", { action = "video_on", media_type = "video" } },
}

sig.test("a participant without the permission is refused, and nobody hears him; given back, he is heard again", function(t)
  for i, case in ipairs(messages) do
    local name, type, payload = case[1], case[2], case[3]
    local ann, bob = scene.call(t, "ann", "bob")
    bob:sends(type, payload)
    ann:receives(type)
    say(ann, "bob", { [name] = false })
    payload.transfer_id = payload.transfer_id and "t2"
    bob:sends(type, payload)
    local details = bob:is_refused("PERMISSION_DENIED").payload.details
    assert(details.permission == name and details.type == type, name .. " " .. i)
    ann:receives_nothing(type)
    say(ann, "bob", { [name] = true })
    bob:sends(type, payload)
    ann:receives(type)
    bob:leaves()
    ann:leaves()
  end
end)
