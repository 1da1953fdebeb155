-- Who may do what in a room: by his role, by the permissions that a host or moderator gave or took (std.permissions), and by the settings
-- of the room (std.room_settings). A bundle without one of these policies goes by what is left.
local may = {}

local rank = { observer = 0, participant = 1, moderator = 2, host = 3 }
may.rank = rank

-- What a role may do as long as nothing else was said about its owner.
local everything = {
  can_speak = true, can_share_video = true, can_share_screen = true, can_send_chat = true, can_share_files = true,
  can_manage_participants = true, can_record = true,
}
local by_role = {
  host = everything,
  moderator = everything,
  participant = { can_speak = true, can_share_video = true, can_share_screen = true, can_send_chat = true, can_share_files = true },
  observer = { can_send_chat = true },
}
may.permissions = everything

-- What another policy remembers about the room; nil: the bundle does not use that policy.
local used = {}
function may.state(room, policy)
  if used[policy] == nil then used[policy] = pcall(room.state_of, room, policy) end
  return used[policy] and room:state_of(policy) or nil
end

-- The role of somebody here, or the one with which he would come back; nil: he never was here.
function may.role(room, id)
  local role = room:role_of(id)
  if role and role ~= "observer" and not room.host and not room:member(id) then return "host" end
  return role
end

-- Whether the room has somebody who leads it; its settings hold so long.
function may.led(room)
  return room.host ~= nil or room:oldest { role = "moderator", away = true } ~= nil
end

-- Whether he has one of the seven permissions.
function may.permission(room, id, name)
  local role = may.role(room, id)
  if not role or may.waits(room, id) then return false end
  local state = may.state(room, "std.permissions")
  local said = role ~= "host" and state and state.said:get(id) -- nobody takes anything from the host
  if said and said[name] ~= nil then return said[name] end
  return by_role[role][name] == true
end

function may.record(room, id)
  return may.permission(room, id, "can_record")
end

-- Whether he may begin to record, or to send files: settings of the room can forbid it to all.
function may.start_recording(room, id)
  return may.record(room, id) and may.setting(room, "enable_recording") ~= false
end

function may.share_files(room, id)
  return may.permission(room, id, "can_share_files") and may.setting(room, "enable_file_sharing") ~= false
end

-- Whether he decides about others: hosts and moderators do, and whom they let.
function may.manage(room, id)
  return may.permission(room, id, "can_manage_participants")
end

-- Whether he may decide about this one: nobody decides about those who stand above him.
function may.manage_whom(room, id, other)
  return may.manage(room, id) and rank[may.role(room, id)] >= rank[may.role(room, other) or "participant"]
end

-- The value of a setting that is in force now; nil: none is.
function may.setting(room, name)
  local state = may.state(room, "std.room_settings")
  local value = state and state.said:get(name)
  if value ~= nil and may.led(room) then return value end
end

-- Whether he leads: nobody has to let him in, and he is not held to what participants are.
function may.lead(room, id)
  return (rank[may.role(room, id)] or 0) >= rank.moderator
end

-- Whether he may switch his own microphone on.
function may.unmute(room, id)
  if not may.permission(room, id, "can_speak") then return false end
  return may.lead(room, id) or may.setting(room, "allow_participants_unmute") ~= false
end

-- Whether he is here, and waits to be let in (member.waiting).
function may.waits(room, id)
  local member = room:member(id)
  return member ~= nil and member.waiting
end

return may
