-- Roles. Hosts and moderators give them, over HTTP, and everybody is told: nobody gives one above his own, nor takes one from somebody
-- who stands above him. Who comes back has the role that he left with. The server itself makes the first in a room its host, and the one
-- who has been here longest when the host leaves.
local sig = require "lunasig"
local clock = require "lunasig.clock"
local field = require "lunasig.field"
local may = require "lunasig.may"
local refused = require("lunasig.answer").refused

sig.policy { name = "std.roles", api = 1 }

local role = sig.string { one_of = { "host", "moderator", "participant", "observer" } }

sig.type "role-updated" {
  from = "server",
  alias = "role_updated",
  payload = sig.object { user_id = field.id, role = role, updated_by = field.user, timestamp = field.timestamp },
}

sig.route("GET /webrtc/rooms/:room/roles/:user", {}, function(request, room)
  local user = request.params.user
  local now = room:role_of(user)
  if not now then return refused(404) end
  return 200, { user_id = user, role = now }
end)

-- There is one host: who makes another one steps back. Who is not here comes back with his new role.
local function give(room, user, new, by)
  local member, host = room:member(user), room.host
  if new == "host" and host and host.id ~= user then host:set_role("moderator", { by = by }) end
  if member then
    if member.role ~= new then member:set_role(new, { by = by }) end
  else
    room:remember_role(user, new)
    room:send("role-updated", { user_id = user, role = new, updated_by = by, timestamp = clock.stamp() })
  end
end

local options = { query = { role = role }, rate = "20/s burst 100 per user" }

sig.route("POST /webrtc/rooms/:room/roles/:user", options, function(request, room)
  local user, by, new = request.params.user, request.user, request.query.role
  if not may.manage(room, by) then return refused(403, "Only hosts and moderators give roles") end
  if not room:role_of(user) then return refused(404) end
  if not may.manage_whom(room, by, user) or may.rank[new] > may.rank[may.role(room, by)] then
    return refused(403, "Nobody gives a role above his own, nor takes one from who stands above him")
  end
  if may.waits(room, user) then return refused(403, "Let him in first") end
  if new == "host" and not room:member(user) then return refused(403, "Only somebody who is here can become host") end
  if new ~= "host" and room.host and room.host.id == user then return refused(403, "Make somebody else host first") end
  give(room, user, new, by)
  return 200, { success = true, user_id = user, role = new }
end)
