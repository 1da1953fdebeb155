---@meta lunasig.room

--- The room of the event. Valid in its hook only; afterwards using it is an error.
---@class lunasig.Room
---@field id string as in the URL
---@field count integer members who are present now
---@field host lunasig.Member? nil: none
local Room = {}

--- The member of that id who is present now, or nil.
---@param id string
---@return lunasig.Member?
function Room:member(id) end

--- All members who are present now, the longest present first.
---@return lunasig.Member[]
function Room:members() end

return Room
