-- Who was in which room, from when to when: in sig.store "room_sessions", for 90 days. A record is written when somebody has entered, and
-- again when he has left: one without left_at is of somebody who is still there, or was when the server ended.
local sig = require "lunasig"
local clock = require "lunasig.clock"

sig.policy { name = "std.session_record", api = 1 }
sig.use "std.records"
local records = require "std.records"

local ttl = "2160h"

local function write(room, member, session, left)
  records.later(room, "room_sessions", session.key, {
    room_id = room.id,
    user_id = member.id,
    username = member.username,
    role = member.role,
    joined_at = clock.stamp(session.since),
    left_at = left and clock.stamp(),
    seconds = left and sig.now() - session.since,
    reason = left,
  }, ttl)
end

sig.on("joined", function(room, member)
  local now = sig.now()
  local session = { since = now, key = ("%s/%013.0f-%s"):format(room.id, now * 1000, sig.random.id()) }
  member.data.session = session
  write(room, member, session)
end, { on_error = "allow" })

sig.on("leave", function(room, member, reason)
  local session = member.data.session
  if session then write(room, member, session, reason) end -- who was there before this policy has none
end, { on_error = "allow" })
