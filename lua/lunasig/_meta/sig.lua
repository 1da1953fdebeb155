---@meta lunasig

--- What `require "lunasig"` gives. Declarations are made at the top level of files; verdicts and waiting belong in hooks.
---@class lunasig
---@field null lightuserdata JSON's null: in arrays of payloads and in details. In objects a null is a missing field.
---@field type lunasig.Declare Declares message types: `sig.type "quiz" { from = "host" }`.
---@field string lunasig.Schema A text; min and max count characters.
---@field number lunasig.Schema
---@field integer lunasig.Schema
---@field boolean lunasig.Schema
---@field object lunasig.Schema `sig.object { name = schema }`; alone, any object.
---@field array lunasig.Schema `sig.array(schema, { max = 10 })`; alone, any array.
---@field any lunasig.Schema
---@field sdp lunasig.Schema A session description: a text, for compat clients also an object or null.
---@field candidate lunasig.Schema An ICE candidate: a text, an object, or null at the end of candidates.
local sig = {}

---@alias lunasig.Role "host"|"moderator"|"participant"|"observer"
---@alias lunasig.Hook fun(room: lunasig.Room, member: lunasig.Member, message: lunasig.Message): lunasig.Verdict?
---@alias lunasig.Event "join"|"leave"|"message"|string

---@class lunasig.Policy
---@field name string how errors and the log name this file's hooks
---@field api? 1

---@class lunasig.Limits
---@field cpu_ms? number processor time of one call of a hook
---@field wait_ms? number how long one call of a hook may wait in all
---@field memory_mb? number of the virtual machine that all policies share

---@class lunasig.HookOptions
---@field on_error? "allow"|"deny" what happens when the hook fails; "deny" unless written, and always "allow" for leave

---@class lunasig.Verdict what deny, handled and accept give: return it from the hook

--- Names the policy of this file.
---@param policy lunasig.Policy
function sig.policy(policy) end

--- Loads other policies, in this order. Hooks run in the order in which they were added.
---@param names string|string[] as `require` takes them: "std.chat" is std/chat.lua of the bundle, else of the library
function sig.use(names) end

--- Lowers the limits of the settings. What is smallest among all files counts.
---@param limits lunasig.Limits
function sig.limits(limits) end

--- Adds a hook. "join" and "leave" get (room, member[, reason]), "message" and "message:TYPE" (room, member, message). It returns
--- nothing to go on, or a verdict. "message" runs before "message:TYPE"; the first refusal wins.
---@param event lunasig.Event
---@param hook lunasig.Hook
---@overload fun(event: lunasig.Event, options: lunasig.HookOptions, hook: lunasig.Hook)
function sig.on(event, hook) end

--- Refuses: `return sig.deny("ROOM_LOCKED", "ask the host", { retry_after = 3 })`. The client gets an `error` with all three.
---@param code string capital letters, digits and _, at most 47
---@param text? string for people, at most 255 bytes
---@param details? table becomes a JSON object of at most 511 bytes
---@return lunasig.Verdict
function sig.deny(code, text, details) end

--- Consumes a message: it is not relayed, and its sender hears nothing of it.
---@return lunasig.Verdict
function sig.handled() end

--- Goes on, and no further hook looks at this event.
---@return lunasig.Verdict
function sig.accept() end

--- Waits without holding anything up. Other hooks run meanwhile: afterwards `member.present` may be false. Not at the top level of
--- a file, nor in a comparator of table.sort.
---@param time string|number "100ms", "2s", "1min", or a number of seconds
function sig.sleep(time) end

--- The time: seconds since 1970-01-01 UTC, with milliseconds.
---@return number
function sig.now() end

--- Writes a line to the log, with the place that calls it. `print` does the same at level info. Keep tokens, SDP and candidates out of it.
---@param level "debug"|"info"|"warning"|"error"
---@param text string at most 1,024 bytes of it
---@param fields? table<string, string|number|boolean> at most 8, named with small letters, digits and _
function sig.log(level, text, fields) end

---@class lunasig.Type
---@field from? lunasig.Role|lunasig.Role[]|"server" who may send it; everybody unless written; "server": only the server
---@field to? "room"|"others"|"target"|"server"|string|string[] where it goes: "room" unless written; or "role:host", or a list of such
---@field absent? "error"|"broadcast" what happens when the target never was in the room; "error" unless written
---@field connection? "one"|"all" of a target's several connections, only the one that last spoke to the sender; "all" unless written
---@field payload? lunasig.Schema a sig.object; any object unless written
---@field rate? string|string[] at most 4, e.g. "2/s burst 5 per user"; per connection, user, ip or room
---@field alias? string|string[] other names that clients may use for it

---@class lunasig.Declare
---@overload fun(name: string): fun(type: lunasig.Type)
---@overload fun(name: string, type: lunasig.Type)
local Declare = {}

--- Changes fields of a type that is declared already: `sig.type.extend "chat-message" { rate = "1/s burst 3 per user" }`.
---@param name string
---@return fun(type: lunasig.Type)
function Declare.extend(name) end

return sig
