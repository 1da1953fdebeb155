---@meta lunasig.stats

--- Figures over all rooms of this process, as they are now. Kept with every change: asking costs the same with one room and with
--- 100,000.
---@class lunasig.Stats
---@field rooms integer with members
---@field members integer in all rooms; somebody who is in two rooms counts twice
---@field connections integer of users, with their sockets
---@field away integer connections that were lost and may resume
---@field messages_relayed integer since the server began
---@field uptime_seconds integer
---@field rooms_by_size table<"1-5"|"6-10"|"11-25"|"26-50"|"51+", integer> how many rooms have so many members
---@field top_rooms lunasig.TopRoom[] the largest ones, at most 10, the largest first

---@class lunasig.TopRoom
---@field room_id string who knows it can try to join: think before it goes to strangers
---@field members integer

--- How far a user is from a limit. The fields but rules are those of the rule that has the least left; nil: nothing limits it.
---@class lunasig.Rate
---@field rule? string as in the details of RATE_LIMIT_EXCEEDED: "chat-message per user"
---@field per? "connection"|"user"|"ip"|"room" of several connections of the user, the one that has the least left counts
---@field limit? integer so many per period
---@field period? number seconds; nil: so many at the same time (connections)
---@field burst? integer so many at once
---@field remaining? integer so many would pass now
---@field retry_after? number seconds until one would pass; 0: now
---@field reset_after? number seconds until the whole burst would
---@field rules lunasig.Rate[] each rule that counts; without rules of their own

---@class lunasig
local sig = {}

--- Figures over all rooms of this process. For hooks and routes, also those that may not wait; an error at the top level of a file.
---@return lunasig.Stats
function sig.stats() end

--- What stands behind the server, as far as it knows without waiting: "connected", "embedded" (the server does it itself: SQLite in
--- place of MongoDB, one process in place of Redis) or "unreachable". Asking may start a probe for the next time. An error at the top
--- level of a file.
---@return { mongodb: "connected"|"embedded"|"unreachable", redis: "embedded" }
function sig.components() end

--- What limits a user's messages of a type, and what is left. Takes nothing from it. At most 100 connections of the user are looked
--- at. An error at the top level of a file.
---@param user_id string
---@param type string a declared type or its alias; "message": WEBSOCKET_MESSAGE_RATE_LIMIT; "connection": WEBSOCKET_CONNECTION_LIMIT
---@return lunasig.Rate? rate nil: there is no such type
function sig.rate(user_id, type) end

return sig
