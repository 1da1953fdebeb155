---@meta lunasig.message

--- The message of the event. Valid in its hook only. Changing the payload's table changes nothing of what is relayed.
---@class lunasig.Message
---@field type string as declared, also when the client used an alias
---@field target string? the user or peer that it is for; nil: none
---@field size integer bytes of the frame
---@field id integer? what a lunasig.v1 client numbered it with
---@field payload table parsed when it is first read. A null is nil in objects and sig.null in arrays.
local Message = {}

return Message
