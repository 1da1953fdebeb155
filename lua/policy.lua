-- The policy in force by default: which policies are in use, in this order. Each declares its message types and adds its hooks.
--
-- Change a line, send SIGHUP, and the next message obeys it. Calls go on; nobody is disconnected. If the
-- files do not load, the log says where and the policy in force stays.
local sig = require "lunasig"

sig.policy { name = "default", api = 1 }

sig.use {
  "std.names",          -- how members are called
  "std.roles",          -- who is host, moderator, participant, observer
  "std.permissions",    -- what each user may do
  "std.room_settings",  -- locked, muted on entry, chat on or off, ...
  "std.waiting_room",
  "std.participants",
  "std.signaling",      -- offer, answer, ice-candidate
  "std.presence",       -- what the server itself says
  "std.media",          -- mute, camera
  "std.screen_share",
  "std.chat",
  "std.hand_raise",
  "std.reactions",
  "std.file_routes",    -- offers of files, and their transfer over HTTP
  "std.recording_routes",
  "std.quality",
  "std.analytics",
  "std.breakout",
  "std.background",
  "std.live_stream",
  "std.e2ee",
  "std.stats",          -- /webrtc/health, /webrtc/stats, what is left of rates
  "std.session_record", -- who was in which room, from when to when
  "std.answers",        -- what all these answer over HTTP: for `lunasig describe`
  "std.chat_record",    -- last: what no other policy has refused
}

-- Yours. For example: a type of its own for a quiz, which only hosts may start, at most twice a second.
-- sig.type "quiz" { from = "host", payload = sig.object { question = sig.string { max = 200 } }, rate = "2/s burst 5 per user" }

-- Or: no links in chat.
-- sig.on("message:chat-message", function(room, member, message)
--   if (message.payload.content or ""):find("://", 1, true) then return sig.deny("NO_LINKS", "links are not allowed in this room") end
-- end)
