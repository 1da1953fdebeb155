---@meta lunasig.member

--- A user in the room, through one or several connections. Valid in its hook only. In a hook, the same member is the same value.
---@class lunasig.Member
---@field id string the token's `sub`
---@field username string
---@field role lunasig.Role
---@field present boolean false in a join hook, and after a wait during which the member left
---@field away boolean all connections are lost and may resume
---@field joined_at number? seconds since 1970-01-01 UTC; nil in a join hook
---@field connections integer
---@field claims table the verified token's; empty where the server has none
---@field attr lunasig.Props what everybody in the room sees in participants[]; at most POLICY_ATTR_BYTES (1 KiB)
---@field data lunasig.Props what nobody sees; at most POLICY_DATA_BYTES (16 KiB)
local Member = {}

--- Gives another role. Everybody is told by `role-updated` when the hook waits or returns. Raises GONE for somebody who has left.
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
