---@meta lunasig.room

--- The room of the event. Valid in its hook only; afterwards using it is an error.
---@class lunasig.Room
---@field id string as in the URL
---@field count integer members who are present now, without those who wait to be let in
---@field peak integer the most there were at once since the room was made, or since the server began
---@field host lunasig.Member? nil: none
---@field state lunasig.State what the policy whose hook runs remembers about the room (sig.room_state)
local Room = {}

--- The member of that id who is present now, also while he waits to be let in, or nil.
---@param id string
---@return lunasig.Member?
function Room:member(id) end

--- All members who are present now, the longest present first. With `{ waiting = true }` those who wait to be let in, and only them.
---@param which? { waiting?: boolean }
---@return lunasig.Member[]
function Room:members(which) end

--- Of the members who are present, not away, and need not wait to be let in, the one who has been here longest; nil: there is none.
---@param filter? { role?: lunasig.Role|lunasig.Role[], away?: boolean } away = true: also those whose connections are lost
---@return lunasig.Member?
function Room:oldest(filter) end

---@class lunasig.SendOptions
---@field from? lunasig.Member in whose name: `sender_id`; nobody's unless written
---@field to? lunasig.Role|lunasig.Role[] only members with these roles
---@field except? lunasig.Member not to this one

--- Sends a message of the server's own to everybody in the room but those who wait to be let in, when the hook waits or returns. A type
--- whose `keep` says so is kept.
---@param type string 1 to 64 letters, digits and _ - . :
---@param payload? table becomes a JSON object of at most 256 KiB
---@param options? lunasig.SendOptions
function Room:send(type, payload, options) end

--- The role of a member, or the one that the room remembers of somebody who has left; nil: it knows none.
---@param id string
---@return lunasig.Role?
function Room:role_of(id) end

--- With which role somebody who is not here will come.
---@param id string
---@param role lunasig.Role
function Room:remember_role(id, role) end

--- What another policy remembers about the room, to read and to change.
---@param policy string its name: "std.room_settings"
---@return lunasig.State
function Room:state_of(policy) end

--- Sets a timer: `sig.on("timer:NAME", function(room, arg) … end)` is called when the time is over, in the version that is in force
--- then. Setting it again replaces it. It lives as long as its room, which a timer keeps for at most an hour after the last member
--- has left; a room has at most POLICY_TIMERS_MAX (64). An error where no hook of this version handles the name.
---@param time string|number "10s", "1.5min", or a number of seconds; at most 24 hours
---@param name string 1 to 64 bytes
---@param arg? lunasig.Json at most 4,096 bytes of JSON
function Room:after(time, name, arg) end

--- Takes a timer back; true: it was set.
---@param name string
---@return boolean cancelled
function Room:cancel(name) end

--- How many seconds a timer has left; nil: it is not set.
---@param name string
---@return number?
function Room:timer(name) end

return Room
