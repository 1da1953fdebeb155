-- What the server says to everybody who is in. Who waits to be let in (std.waiting_room) does not hear it.
local may = require "lunasig.may"

local say = {}

function say.all(room, type, payload, options)
  local state = may.state(room, "std.waiting_room")
  if not state or state.waiting:count() == 0 then return room:send(type, payload, options) end
  for _, member in ipairs(room:members()) do
    if not state.waiting:has(member.id) then member:send(type, payload, options) end
  end
end

return say
