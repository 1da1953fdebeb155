-- The waiting room (enable_waiting_room of std.room_settings): who comes waits until a host or a moderator lets him in, over HTTP. Until
-- then he hears nothing, says nothing and is not shown: that is member.waiting, the server's own doing. Whom somebody let in need not
-- wait again. When nobody is left who could let them in, all who wait are in. A policy of yours may set member.waiting for reasons of its
-- own: they are told, listed and let in here too.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local may = require "lunasig.may"

sig.policy { name = "std.waiting_room", api = 1 }
sig.use { "std.roles", "std.room_settings" }
local settings = require "std.room_settings"

local admitted_max, at_once_max = 500, 300 -- at once: a hook may send only so much (POLICY_EFFECTS_MAX)

sig.room_state { admitted = sig.set { max = admitted_max } }

sig.type "waiting-room-join" {
  from = { "host", "moderator", "participant", "observer", "waiting" },
  to = { "role:host", "role:moderator" },
  alias = "waiting_room_join",
  payload = sig.object { user_id = field.user, username = field.text, timestamp = field.timestamp },
}

for _, action in ipairs { "admit", "reject" } do
  sig.type("waiting-room-" .. action) {
    from = "server",
    alias = "waiting_room_" .. action,
    payload = sig.object { user_id = field.id, actioned_by = field.id, timestamp = field.timestamp },
  }
end

sig.on("join", function(room, member)
  local free = may.lead(room, member.id) or room.state.admitted:has(member.id)
  if may.setting(room, "enable_waiting_room") and not free then member.waiting = true end
end)

sig.on("waiting", function(room, member)
  local said = { user_id = member.id, username = member.username, timestamp = clock.stamp() }
  room:send("waiting-room-join", said, { from = member, to = { "host", "moderator" } })
end)

sig.on("message:waiting-room-join", function(_, member)
  if member.waiting then return sig.handled() end -- it was told when he came
end)

local function let_in(room, member, by)
  local admitted = room:state_of("std.waiting_room").admitted
  if admitted:count() >= admitted_max then admitted:remove(admitted:copy()[1]) end
  admitted:add(member.id)
  member.waiting = false
  room:send("waiting-room-admit", { user_id = member.id, actioned_by = by or sig.null, timestamp = clock.stamp() })
end

local function let_all_in(room, by)
  for i, member in ipairs(room:members { waiting = true }) do
    if i <= at_once_max then let_in(room, member, by) end -- the others by whoever leads now
  end
end

settings.on_change(function(room, by)
  if may.setting(room, "enable_waiting_room") == false then let_all_in(room, by) end
end)

local function nobody_leads(room)
  if not may.led(room) then let_all_in(room) end
end

sig.on("leave", nobody_leads)
sig.on("back", nobody_leads) -- who led may not have come back after a restart of the server

sig.route("GET /webrtc/rooms/:room/waiting-room", {}, function(request, room)
  if not may.manage(room, request.user) then return 403, { detail = "Only hosts and moderators see who waits" } end
  local participants = sig.json.array {}
  for i, member in ipairs(room:members { waiting = true }) do
    participants[i] = { user_id = member.id, username = member.username, timestamp = clock.stamp(member.joined_at) }
  end
  return 200, { room_id = room.id, participants = participants, count = #participants }
end)

local function decision(action, decide)
  sig.route("POST /webrtc/rooms/:room/waiting-room/:user/" .. action, {}, function(request, room)
    local user, by = request.params.user, request.user
    if not may.manage(room, by) then return 403, { detail = "Only hosts and moderators decide who comes in" } end
    local member = room:member(user)
    if not member or not member.waiting then return 404, { detail = "Not Found" } end
    decide(room, member, by)
    return 200, { success = true, user_id = user, action = action }
  end)
end

decision("admit", let_in)

decision("reject", function(_, member, by)
  member:send("waiting-room-reject", { user_id = member.id, actioned_by = by, timestamp = clock.stamp() })
  member:kick "you were not let in"
end)
