-- The waiting room (enable_waiting_room of std.room_settings): who comes waits until a host or a moderator lets him in, over HTTP. Until
-- then he is an observer whom nobody hears and who hears nothing of what members say; he sees who is there, and they see that he waits
-- (attr.waiting). Whom somebody let in need not wait again. When nobody is left who could let them in, all who wait are in.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local may = require "lunasig.may"

sig.policy { name = "std.waiting_room", api = 1 }
sig.use { "std.roles", "std.room_settings" }
local settings = require "std.room_settings"

local waiting_max, admitted_max = 200, 500

sig.room_state {
  waiting = sig.map { max = waiting_max, value = sig.object { role = sig.string, since = sig.string } }, -- by user; his role when he is in
  admitted = sig.set { max = admitted_max },
}

sig.type "waiting-room-join" {
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

-- What goes to everybody, and so must not go to those who wait. Add types of your own: require("std.waiting_room").broadcasts.quiz = true
local broadcasts = {}
for name in ([[offer answer ice-candidate media-control screen-share-control chat-message reaction hand-raise recording-control
  recording-status file-share-offer file-share-accept file-share-reject file-share-progress file-share-complete network-stats
  quality-update analytics-event virtual-background-update]]):gmatch "%S+" do
  broadcasts[name] = true
end

local function inside(room, but)
  local members, waiting = {}, room:state_of("std.waiting_room").waiting
  for _, member in ipairs(room:members()) do
    if member ~= but and not waiting:has(member.id) then members[#members + 1] = member end
  end
  return members
end

local function let_in(room, id, by)
  local state, member = room:state_of "std.waiting_room", room:member(id)
  local entry = state.waiting:get(id)
  state.waiting:remove(id)
  if not (entry and member) then return end
  if state.admitted:count() >= admitted_max then state.admitted:remove(state.admitted:copy()[1]) end
  state.admitted:add(id)
  member.attr.waiting = nil
  member:set_role(room.host and entry.role or "host", { by = by })
  local said = { user_id = id, actioned_by = by or sig.null, timestamp = clock.stamp() }
  for _, other in ipairs(inside(room)) do
    other:send("waiting-room-admit", said)
  end
end

local function let_all_in(room, by)
  for _, id in ipairs(room:state_of("std.waiting_room").waiting:keys()) do
    let_in(room, id, by)
  end
end

settings.on_change(function(room, by)
  if not may.setting(room, "enable_waiting_room") then let_all_in(room, by) end
end)

sig.on("join", function(room, member)
  local state, id = room.state, member.id
  state.waiting:remove(id)
  if not may.setting(room, "enable_waiting_room") or may.lead(room, id) or state.admitted:has(id) then return end
  if state.waiting:count() >= waiting_max then return sig.deny("ROOM_FULL", "too many are waiting already", { limit = waiting_max }) end
  state.waiting:set(id, { role = room:role_of(id) or "participant", since = clock.stamp() })
  room:remember_role(id, "observer")
  member.attr.waiting = true
end)

sig.on("joined", function(room, member)
  if not room.state.waiting:has(member.id) then return end
  local said = { user_id = member.id, username = member.username, timestamp = clock.stamp() }
  room:send("waiting-room-join", said, { from = member, to = { "host", "moderator" } })
end)

sig.on("message", function(room, member, message)
  local waiting = room.state.waiting
  if waiting:count() == 0 then return end
  if waiting:has(member.id) then
    if message.type == "waiting-room-join" then return sig.handled() end -- it was told when he came
    return sig.deny("STILL_WAITING", "you have not been let in yet")
  end
  local receiver = message.receiver
  if receiver then
    if not waiting:has(receiver.id) then return end
    return sig.deny("STILL_WAITING", "who this is for has not been let in yet", { user_id = receiver.id })
  end
  if broadcasts[message.type] then message:to(inside(room, member)) end
end)

sig.on("leave", function(room, member)
  local entry = room.state.waiting:get(member.id)
  if entry then
    room.state.waiting:remove(member.id)
    room:remember_role(member.id, entry.role)
  end
  if not may.led(room) then let_all_in(room) end
end)

sig.route("GET /webrtc/rooms/:room/waiting-room", {}, function(request, room)
  if not may.manage(room, request.user) then return 403, { detail = "Only hosts and moderators see who waits" } end
  local participants = sig.json.array {}
  for id, entry in room.state.waiting:each() do
    local member = room:member(id)
    if member then participants[#participants + 1] = { user_id = id, username = member.username, timestamp = entry.since } end
  end
  return 200, { room_id = room.id, participants = participants, count = #participants }
end)

local function decision(action, decide)
  sig.route("POST /webrtc/rooms/:room/waiting-room/:user/" .. action, {}, function(request, room)
    local user, by = request.params.user, request.user
    if not may.manage(room, by) then return 403, { detail = "Only hosts and moderators decide who comes in" } end
    local member = room:member(user)
    if not member or not room.state.waiting:has(user) then return 404, { detail = "Not Found" } end
    decide(room, member, by)
    return 200, { success = true, user_id = user, action = action }
  end)
end

decision("admit", function(room, member, by)
  let_in(room, member.id, by)
end)

decision("reject", function(_, member, by)
  member:send("waiting-room-reject", { user_id = member.id, actioned_by = by, timestamp = clock.stamp() })
  member:kick "you were not let in"
end)

return { broadcasts = broadcasts }
