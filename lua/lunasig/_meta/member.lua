---@meta lunasig.member

--- A user in the room, through one or several connections. Valid in its hook only. In a hook, the same member is the same value.
---@class lunasig.Member
---@field id string the token's `sub`
---@field username string
---@field role lunasig.Role
---@field present boolean false in a join hook, and after a wait during which the member left
---@field joined_at number? seconds since 1970-01-01 UTC; nil in a join hook
---@field connections integer
---@field claims table the verified token's; empty where the server has none
local Member = {}

return Member
