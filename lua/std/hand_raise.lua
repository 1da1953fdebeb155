-- Raised hands: a queue of those who want to speak, in the order in which the hands went up. Messages and HTTP requests act on the same
-- one. Nobody is in it twice, and a hand goes down when its owner leaves. Everybody is told of the hand and then of the queue, and who
-- comes later sees in participants whose hand is up.
local sig = require "lunasig"
local field = require "lunasig.field"
local clock = require "lunasig.clock"
local may = require "lunasig.may"
local text = require "lunasig.text"

sig.policy { name = "std.hand_raise", api = 1 }

local hands_max = 200

-- By user, in the order in which the hands went up.
sig.room_state { hands = sig.map { max = hands_max, value = sig.object { username = sig.string, raised_at = sig.string } } }

sig.type "hand-raise" {
  absent = "broadcast",
  alias = "hand_raise",
  payload = sig.object {
    user_id = field.user,
    username = field.text,
    raised = sig.boolean,
    timestamp = field.timestamp,
  },
}

sig.type "hand-raise-queue" {
  from = "server",
  alias = "hand_raise_queue",
  payload = sig.object {
    queue = sig.array(sig.object {
      username = field.text,
      raised_at = field.timestamp,
      position = sig.integer { min = 1 },
      user_id = field.id,
    }),
    timestamp = field.timestamp,
  },
}

local function queue_of(room)
  local queue = sig.json.array {}
  for id, hand in room.state.hands:each() do
    queue[#queue + 1] = { user_id = id, username = hand.username, raised_at = hand.raised_at, position = #queue + 1 }
  end
  return queue
end

local function position_of(room, id)
  for _, place in ipairs(queue_of(room)) do
    if place.user_id == id then return place.position end
  end
end

-- Behind the message that changed it: what a hook sends goes out before the message that it was asked about.
sig.on("timer:hand-raise-queue", function(room)
  room:send("hand-raise-queue", { queue = queue_of(room), timestamp = clock.stamp() })
end)

-- true: the queue is another one now, and everybody will be told. nil: there is no place left.
local function set_hand(room, member, raised)
  local hands = room.state.hands
  if raised == hands:has(member.id) then return false end
  if raised and hands:count() >= hands_max then return nil end
  local hand = raised and { username = member.username, raised_at = clock.stamp() } or nil
  hands:set(member.id, hand)
  if member.present then
    member.attr.hand_raised, member.attr.hand_raised_at = raised or nil, hand and hand.raised_at
  end
  room:after(0, "hand-raise-queue")
  return true
end

sig.on("message:hand-raise", function(room, member, message)
  local raised, name = message:get "raised", message:get "username"
  if type(raised) ~= "boolean" then return end -- compat clients may leave it out
  if set_hand(room, member, raised) == nil then
    return sig.deny("QUEUE_FULL", "too many hands are up already", { limit = hands_max })
  end
  local clean_name = text.name(name)
  if clean_name == name then return end
  local payload = message.payload
  payload.username = clean_name
  message:replace(payload)
end)

sig.on("leave", function(room, member)
  set_hand(room, member, false)
end)

local raise = { query = { raised = sig.boolean { optional = true } }, rate = "5/s burst 20 per user" }

sig.route("POST /webrtc/rooms/:room/hand-raise", raise, function(request, room)
  local member, raised = room:member(request.user), request.query.raised ~= false
  if not member or may.waits(room, member.id) then return 403, { detail = "You are not in this room" } end
  local changed = set_hand(room, member, raised)
  if changed == nil then return 409, { detail = "Too many hands are up already" } end
  if changed then
    local said = { user_id = member.id, username = member.username, raised = raised, timestamp = clock.stamp() }
    room:send("hand-raise", said, { from = member })
  end
  return 200, { success = true, raised = raised, position = position_of(room, member.id) or sig.null }
end)

sig.route("GET /webrtc/rooms/:room/hand-raise/queue", {}, function(_, room)
  local queue = queue_of(room)
  return 200, { room_id = room.id, queue = queue, count = #queue }
end)
