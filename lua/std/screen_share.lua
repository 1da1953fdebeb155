-- Shared screens. Others are told when somebody begins to share and when he stops; when he leaves while he shares, the server says that
-- he has stopped. Whether he may is asked by std.permissions and std.room_settings. Several may share at once: to have one at a time,
-- refuse a start while room.state.sharers has somebody else.
local sig = require "lunasig"
local field = require "lunasig.field"
local clock = require "lunasig.clock"

sig.policy { name = "std.screen_share", api = 1 }

sig.room_state { sharers = sig.set { max = 1000 } }

sig.type "screen-share-control" {
  absent = "broadcast",
  alias = "screen_share_control",
  payload = sig.object {
    action = sig.string { one_of = { "start", "stop" } },
    user_id = field.user,
    screen_id = field.optional_id,
    quality = field.text,
    timestamp = field.timestamp,
  },
}

sig.on("message:screen-share-control", function(room, member, message)
  local action = message:get "action"
  if action == "start" then
    room.state.sharers:add(member.id)
    member.attr.screen_sharing = true
  elseif action == "stop" then
    room.state.sharers:remove(member.id)
    member.attr.screen_sharing = nil
  end
end)

sig.on("leave", function(room, member)
  if not room.state.sharers:remove(member.id) then return end
  room:send("screen-share-control", { action = "stop", user_id = member.id, timestamp = clock.stamp() })
end)
