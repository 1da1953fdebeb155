-- Who was in which room, from when to when: in sig.store "room_sessions", for 90 days. A record is written when somebody has entered, and
-- again when he has left: one without left_at is of somebody who is still there, or was when the server ended.
local sig = require "lunasig"
local clock = require "lunasig.clock"

sig.policy { name = "std.session_record", api = 1 }
sig.use "std.records"
local records = require "std.records"

local ttl = "2160h"

local function write(room, member, left)
  local since = member.joined_at
  records.later(room, "room_sessions", ("%s/%013.0f-%s"):format(room.id, since * 1000, member.id), {
    room_id = room.id,
    user_id = member.id,
    username = member.username,
    role = member.role,
    joined_at = clock.stamp(since),
    left_at = left and clock.stamp(),
    seconds = left and clock.since(since),
    reason = left,
  }, ttl)
end

sig.on("joined", function(room, member)
  write(room, member)
end)

sig.on("leave", write)
