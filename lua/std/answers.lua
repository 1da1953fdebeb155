-- What the routes of lua/std are for and what they answer: for `lunasig describe openapi`. It changes nothing that they do.
local sig = require "lunasig"

sig.policy { name = "std.answers", api = 1 }

local text, number, whole, flag = sig.string, sig.number, sig.integer, sig.boolean
local maybe_text = sig.string { optional = true }

local function list(of)
  return sig.array(of)
end

local function tell(route, summary, fields, extra)
  sig.describe(route, { summary = summary, answer = sig.object(fields, { extra = extra or false }), optional = true })
end

-- Who is there, and what they may do.
local GET, POST, DELETE = "GET /webrtc/rooms/:room/", "POST /webrtc/rooms/:room/", "DELETE /webrtc/rooms/:room/"
local participant = sig.object({ user_id = text, username = text, role = text, joined_at = text }, { extra = true })
local participants = { room_id = text, participants = list(participant), participant_count = whole }
tell(GET .. "participants", "Who is in the room.", participants)
tell(GET .. "participants/enhanced", "The same, with what they tell of themselves.", participants)
tell(POST .. "participants/:user/info", "What one tells of oneself.", { success = flag, user_id = text, info = participant })
tell(GET .. "roles/:user", "The role of a user, or the one he would return with.", { user_id = text, role = text })
tell(POST .. "roles/:user", "Gives another role.", { success = flag, user_id = text, role = text })
local seven = { can_share_screen = flag, can_send_chat = flag, can_share_files = flag, can_manage_participants = flag }
seven.can_record, seven.can_speak, seven.can_share_video = flag, flag, flag
local permissions = sig.object(seven)
tell(GET .. "permissions/:user", "What a user may do.", { user_id = text, permissions = permissions }, true)
tell(POST .. "permissions/:user", "Changes some of it.", { success = flag, user_id = text, permissions = permissions })
local switches = { lock_room = flag, enable_waiting_room = flag, mute_on_entry = flag, disable_video_on_entry = flag, enable_chat = flag }
for _, name in ipairs { "enable_screen_share", "enable_reactions", "enable_file_sharing", "enable_recording", "require_host_to_start" } do
  switches[name] = flag
end
switches.max_participants, switches.allow_participants_rename = sig.integer { null = true }, flag
switches.allow_participants_unmute = flag
local settings = sig.object(switches)
tell(GET .. "settings", "The settings of a room.", { room_id = text, settings = settings })
tell(POST .. "settings", "Changes some of them.", { success = flag, room_id = text, settings = settings })
local waiting = sig.object { user_id = text, username = text, timestamp = text }
tell(GET .. "waiting-room", "Who waits to be let in.", { room_id = text, participants = list(waiting), count = whole })
for action, summary in pairs { admit = "Lets somebody in.", reject = "Sends somebody away who waits." } do
  tell(POST .. "waiting-room/:user/" .. action, summary, { success = flag, user_id = text, action = text })
end
local connection = sig.object({ is_connected = flag, can_resume = flag, participant_count = whole, connections = whole }, { extra = true })
tell(GET .. "reconnection-state", "Whether one could resume.", { room_id = text, user_id = text, state = connection })

-- Hands, breakout rooms, streams.
tell(POST .. "hand-raise", "Raises or lowers one's hand.", { success = flag, raised = flag, position = sig.integer { null = true } })
local hand = sig.object { user_id = text, username = text, raised_at = text, position = whole }
tell(GET .. "hand-raise/queue", "Raised hands, the first one first.", { room_id = text, queue = list(hand), count = whole })
local made = { success = flag, breakout_room_id = text }
tell(POST .. "breakout-rooms", "Opens a breakout room.", made)
tell(POST .. "breakout-rooms/:id/assign/:user", "Sends somebody there.", { success = flag, breakout_room_id = text, user_id = text })
tell(DELETE .. "breakout-rooms/:id", "Closes it; those in it return.", { success = flag, breakout_room_id = text, status = text })
local breakout = sig.object { breakout_room_id = text, config = sig.object({}, { extra = true }), users = list(text), created_by = text }
local assigned = sig.string { null = true }
local breakouts = { room_id = text, breakout_rooms = list(breakout), count = whole, assigned = assigned }
tell(GET .. "breakout-rooms", "The breakout rooms, and where one is assigned.", breakouts)
tell(POST .. "live-streams/start", "Begins a live stream; its key is never told.", { success = flag, stream_id = text, status = text })
local stopped = { success = flag, stream_id = text, status = text, duration_seconds = number }
tell(POST .. "live-streams/:id/stop", "Ends it.", stopped)
local stream = { stream_id = text, status = text, started_by = text, started_at = text, duration_seconds = number }
stream.config = sig.object({}, { extra = true })
tell(GET .. "live-streams", "Those that run.", { room_id = text, active_streams = list(sig.object(stream)), count = whole })

-- Recordings and files.
local entry = { recording_id = text, room_id = text, user_id = text, status = text, started_at = text, duration_seconds = number }
entry.format, entry.quality, entry.paused_at, entry.stopped_at, entry.error = text, text, maybe_text, maybe_text, maybe_text
local recording = sig.object(entry)
local begun = { success = flag, recording_id = text, status = text }
tell(POST .. "recordings/start", "Somebody begins to record.", begun)
tell(POST .. "recordings/:id/stop", "Somebody ends it.", begun)
local all = { room_id = text, recordings = list(recording), active_recordings = list(recording), count = whole }
tell(GET .. "recordings", "Recordings of the room.", all)
tell(POST .. "recording/start", "Somebody begins to record, and how.", entry)
tell(GET .. "recording/:id/status", "One recording.", entry)
for _, action in ipairs { "stop", "pause", "resume" } do
  tell(POST .. "recording/:id/" .. action, "Changes the state of a recording.", entry)
end
tell(DELETE .. "recording/:id", "Cancels one that runs.", entry)
tell("GET /webrtc/recordings", "One's own recordings.", { recordings = list(recording), count = whole })
local file = { transfer_id = text, room_id = text, sender_id = text, receiver_id = text, filename = text, file_size = whole }
file.mime_type = text
file.chunk_size, file.total_chunks, file.chunks_sent, file.chunks_received, file.status = whole, whole, whole, whole, text
file.progress_percent, file.bytes_transferred, file.started_at, file.ends_at = number, number, text, number
file.accepted_at, file.paused_at, file.completed_at, file.error = maybe_text, maybe_text, maybe_text, maybe_text
tell(POST .. "file-transfer/offer", "Offers a file to somebody.", file, true)
for _, action in ipairs { "accept", "reject", "pause", "resume" } do
  tell(POST .. "file-transfer/:id/" .. action, "Changes the state of a transfer.", file, true)
end
tell(GET .. "file-transfer/:id/progress", "How far it is.", file, true)
tell(DELETE .. "file-transfer/:id", "Cancels it.", file, true)
local transfers = list(sig.object(file, { extra = true }))
tell("GET /webrtc/file-transfers", "Transfers from and to oneself.", { transfers = transfers, count = whole })

-- Figures, quality, keys.
local event = sig.object({ event_type = text, user_id = text, room_id = text, timestamp = text, number = whole }, { extra = true })
tell(GET .. "analytics", "The newest events.", { room_id = text, events = list(event), count = whole })
local summary = { room_id = text, total_events = whole, event_types = sig.object({}, { extra = true }), unique_users = whole }
summary.peak_participants, summary.current_participants, summary.dropped_events = whole, whole, whole
tell(GET .. "analytics/summary", "Figures of the room.", summary)
local quality = { success = flag, room_id = text, user_id = text, quality = text, recommendations = list(text), timestamp = text }
quality.metrics = sig.object({}, { extra = true })
tell(POST .. "connection-quality", "Tells how good a connection is.", quality)
tell(POST .. "e2ee/keys/publish", "Publishes a public key.", { success = flag, room_id = text, user_id = text, key_id = text })
local key = sig.object({ key_id = text, user_id = text, key_type = text, public_key = text, published_at = text }, { extra = true })
tell(GET .. "e2ee/keys/:user", "The public keys of a user.", { room_id = text, user_id = text, keys = list(key), count = whole })
tell(DELETE .. "e2ee/keys/:id", "Takes a key back.", { success = flag, room_id = text, key_id = text })
local or_null = sig.number { null = true }
local rate = { type = text, user_id = text, limited = flag, remaining = or_null, limit = or_null, period = or_null, burst = or_null }
rate.reset_after, rate.retry_after, rate.rules = or_null, or_null, list(sig.object({}, { extra = true }))
tell("GET /webrtc/rate-limits/:type/status", "How much of a rate one has left.", rate)
local component = sig.object({ status = text }, { extra = true })
local components = sig.object { mongodb = component, redis = component }
tell("GET /webrtc/health", "Whether what the server leans on is well.", { status = text, timestamp = text, components = components })
local figures = { rooms = whole, participants = whole, connections = whole, away = whole, messages_relayed = whole }
figures.uptime_seconds, figures.timestamp = number, text
tell("GET /webrtc/webrtc-metrics", "Figures of the server.", figures)
figures.rooms_by_size = sig.object { ["1-5"] = whole, ["6-10"] = whole, ["11-25"] = whole, ["26-50"] = whole, ["51+"] = whole }
figures.top_rooms = list(sig.object { participants = whole, room_id = maybe_text })
tell("GET /webrtc/stats", "The same, and the rooms by size.", figures)
