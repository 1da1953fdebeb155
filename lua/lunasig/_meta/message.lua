---@meta lunasig.message

--- The message of the event. Valid in its hook only. Changing the payload's table changes nothing of what is relayed: `replace` does.
---@class lunasig.Message
---@field type string as declared, also when the client used an alias
---@field target string? the user or peer that it is for, as the client wrote it; nil: none
---@field receiver lunasig.Member? whose user id or peer_id the target is; nil: nobody's who is here, or there is no target
---@field size integer bytes of the frame
---@field id integer? what a lunasig.v1 client numbered it with
---@field payload table parsed when it is first read. A null is nil in objects and sig.null in arrays.
local Message = {}

--- One member of the payload, as `message.payload[name]` gives it, without making a table of all of it: cheaper where a hook looks
--- at one field of a long message.
---@param name string
---@return any
function Message:get(name) end

--- What is relayed in place of the client's payload; it is not checked against the type's schema. Later hooks see it as
--- `message.payload`.
---@param payload table becomes a JSON object of at most 256 KiB
function Message:replace(payload) end

--- Where it goes instead: "room" (everybody but the sender), a member or a user id, a list of them (those who are not there are
--- left out), or { role = … }.
---@param receivers "room"|string|lunasig.Member|(string|lunasig.Member)[]|{ role: lunasig.Role|lunasig.Role[] }
function Message:to(receivers) end

return Message
