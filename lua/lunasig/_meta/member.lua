---@meta lunasig.member

--- A user in the room, through one or several connections. Valid in its hook only. In a hook, the same member is the same value.
---@class lunasig.Member
---@field id string the token's `sub`
---@field username string how others see him called: the token's `username`, else its `sub`. A join hook may set it, to 1 to 512 bytes of
---UTF-8 without control characters; taken back when the hook fails
---@field role lunasig.Role
---@field present boolean false in a join hook, and after a wait during which the member left
---@field away boolean all connections are lost and may resume
---@field waiting boolean he waits to be let in; a policy sets it, in a join hook or later. Until it is false again he is not part of what
---goes on: nothing said to the room, to roles or lists reaches him, only `member:send` and what the server says to him alone; of what he
---sends only types whose `from` has "waiting" pass, everything else and every message to him is refused with STILL_WAITING; nobody is
---told of him, and room.count, room:members(), room:oldest and room.host leave him out. His seat is taken all the same. Set to false he
---enters as if he had just come (`joined` is called, he is host where there is none); set to true later, he has left for the others, with
---the reason "waiting" (`waiting` is called, not `leave`). It is done when the hook waits or returns, and taken back when the hook fails.
---@field joined_at number? seconds since 1970-01-01 UTC; nil in a join hook
---@field connections integer
---@field claims table the verified token's; empty where the server has none
---@field attr lunasig.Props what everybody in the room sees in participants[]; at most POLICY_ATTR_BYTES (1 KiB)
---@field data lunasig.Props what nobody sees; at most POLICY_DATA_BYTES (16 KiB)
local Member = {}

--- Gives another role. Everybody is told by `role-updated` when the hook waits or returns, but not of somebody who waits to be let in.
--- Raises GONE for somebody who has left.
---@param role lunasig.Role
---@param options? { by?: string } the user id that `updated_by` names; null unless written
function Member:set_role(role, options) end

--- Sends a message of the server's own to all connections of the member, when the hook waits or returns. Raises GONE for somebody
--- who has left.
---@param type string
---@param payload? table
---@param options? { from?: lunasig.Member }
function Member:send(type, payload, options) end

--- Sends the member away: close 4403, reason "kicked"; the session cannot resume.
---@param text? string for people, at most 100 bytes
function Member:kick(text) end

--- Closes all connections of the member.
---@param code integer 1000, 1008 or 4000 to 4999
---@param text? string for people, at most 100 bytes
function Member:close(code, text) end

return Member
