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
---@alias lunasig.Event "connect"|"auth"|"join"|"joined"|"waiting"|"leave"|"away"|"back"|"resume"|"message"|"rate_exceeded"|"token_expiring"|"ice_servers"|"room_open"|"room_close"|"start"|"stop"|string
---@alias lunasig.LeaveReason "bye"|"timeout"|"kicked"|"replaced"|"expired"|"closed"|"node-lost"

---@class lunasig.Policy
---@field name string how errors and the log name this file's hooks
---@field api? 1

---@class lunasig.Limits
---@field cpu_ms? number processor time of one call of a hook
---@field wait_ms? number how long one call of a hook may wait in all
---@field memory_mb? number of the virtual machine that all policies share

---@class lunasig.HookOptions
---@field on_error? "allow"|"deny" what happens when the hook fails: where a hook can refuse "deny" unless written, elsewhere always "allow"
---@field optional? boolean of message:TYPE: the bundle is good without this type too, and the hook then never runs; otherwise an unknown type is an error

---@class lunasig.Verdict what deny, close, handled and accept give: return it from the hook

--- Names the policy of this file.
---@param policy lunasig.Policy
function sig.policy(policy) end

--- Loads other policies, in this order. Hooks run in the order in which they were added.
---@param names string|string[] as `require` takes them: "std.chat" is std/chat.lua of the bundle, else of the library
function sig.use(names) end

--- Lowers the limits of the settings. What is smallest among all files counts.
---@param limits lunasig.Limits
function sig.limits(limits) end

--- Adds a hook. It returns nothing to go on, or a verdict; hooks run in the order in which they were added, and the first refusal
--- wins. What a hook changed and asked for is taken back when it fails.
---
--- | event | gets | may wait | may refuse |
--- | --- | --- | --- |
--- | connect | (request) before the upgrade | no | yes: 403 |
--- | auth | (request, claims) the token is good | yes | yes: close 4401 |
--- | join | (room, member) who is not in the room yet: nothing can be sent to him | yes | yes: close 1008 |
--- | joined | (room, member) who has entered, or was let in, and got his room-state; not for a further connection of his | yes | no |
--- | waiting | (room, member) in place of joined: he waits to be let in (member.waiting), or has to wait again | yes | no |
--- | leave | (room, member, reason) | yes | no |
--- | away, back | (room, member) the last connection was lost, the first is there again | yes | no |
--- | resume | (room, member) one connection has resumed | yes | no |
--- | message, message:TYPE | (room, member, message) | yes | yes |
--- | rate_exceeded | (room, member, rule, times) times: in a row | yes | yes: says what the client is told |
--- | token_expiring | (member, seconds) | yes | no |
--- | ice_servers | (member, list, request) returns nothing or another list; member is nil for GET /webrtc/config | no | no |
--- | room_open, room_close | (room) the first member has entered, the last has left | yes | no |
--- | timer:NAME | (room, arg) set by room:after | yes | no |
--- | start, stop | () the server has started, is about to stop | start | no |
---@param event lunasig.Event
---@param hook function
---@overload fun(event: lunasig.Event, options: lunasig.HookOptions, hook: function)
---@overload fun(event: "connect", hook: fun(request: lunasig.Request): lunasig.Verdict?)
---@overload fun(event: "auth", hook: fun(request: lunasig.Request, claims: table): lunasig.Verdict?)
---@overload fun(event: "join", hook: fun(room: lunasig.Room, member: lunasig.Member): lunasig.Verdict?)
---@overload fun(event: "leave", hook: fun(room: lunasig.Room, member: lunasig.Member, reason: lunasig.LeaveReason))
---@overload fun(event: "joined"|"waiting"|"away"|"back"|"resume", hook: fun(room: lunasig.Room, member: lunasig.Member))
---@overload fun(event: "message", hook: fun(room: lunasig.Room, member: lunasig.Member, message: lunasig.Message): lunasig.Verdict?)
---@overload fun(event: "rate_exceeded", hook: fun(room: lunasig.Room, member: lunasig.Member, rule: string, times: integer): lunasig.Verdict?)
---@overload fun(event: "token_expiring", hook: fun(member: lunasig.Member, seconds: integer))
---@overload fun(event: "ice_servers", hook: fun(member: lunasig.Member?, list: table[], request: lunasig.Request?): table[]?)
---@overload fun(event: "room_open"|"room_close", hook: fun(room: lunasig.Room))
---@overload fun(event: "start"|"stop", hook: fun())
function sig.on(event, hook) end

--- Answers HTTP requests: `sig.route("GET /webrtc/rooms/:room/queue", { auth = true }, function(request, room) return 200, {} end)`.
---
--- The path has literal segments (letters, digits, _ - . ~) and at most eight parameters `:name`, each of which matches one segment of
--- 1 to 128 bytes; at most 16 segments. Where several routes match, a literal goes before a parameter, from the left. Two that match
--- the same paths are an error at load, and so is a path that the server answers itself: /, /health, /healthz, /ready, /readyz, /live,
--- /metrics, /auth/…, /webrtc/config, /webrtc/ticket, /webrtc/ws/…. A file of the page gives way to a route. At most 500 routes. With a
--- parameter `:room` the function gets that room, also when nobody is in it; a room id that is not well formed is answered 400.
---
--- The function returns a status (200 to 599), a body and headers; nothing is 204. A body that is a text is sent as it is, as
--- text/plain unless the headers say otherwise; any other value is sent as JSON, at most 1 MiB. Headers (at most 16, 2,048 bytes) have
--- names in small letters and values of printable ASCII; those of HTTP's framing, of CORS and set-cookie are the server's. Answers are
--- `no-store` unless `cache-control` is among them. sig.deny and sig.close give 403 {"detail": text, "code": code, "details": …}; an
--- error, or a limit that is exceeded, 500 {"detail", "code": "POLICY_ERROR", "policy", "version"}. At most 256 requests wait in their
--- functions at once; 503 above. When a client goes away, its function goes on to its end without its request.
---@param route string method (GET, which answers HEAD too, POST, PUT, PATCH, DELETE), a space, and the path
---@param options lunasig.Route
---@param answer lunasig.RouteFunction
---@overload fun(route: string, answer: lunasig.RouteFunction)
function sig.route(route, options, answer) end

--- Says of a route that was declared before, in whatever file, what it is for and what it answers: `lunasig describe openapi` has it.
--- Nothing else changes. optional: a bundle that lacks the route is good, too.
---@param route string as in `sig.route`
---@param words { summary?: string, answer?: lunasig.Schema, optional?: boolean }
function sig.describe(route, words) end

--- Refuses: `return sig.deny("ROOM_LOCKED", "ask the host", { retry_after = 3 })`. The client gets an `error` with all three.
---@param code string capital letters, digits and _, at most 47
---@param text? string for people, at most 255 bytes
---@param details? table becomes a JSON object of at most 511 bytes
---@return lunasig.Verdict
function sig.deny(code, text, details) end

--- Refuses and closes the connection: `return sig.close(4429, "flooding")`. The client gets an `error` with the text first.
---@param code integer 1000, 1008 or 4000 to 4999 (RFC 6455 section 7.4.2)
---@param text? string for people, at most 255 bytes; the close frame has its first 123
---@return lunasig.Verdict
function sig.close(code, text) end

--- In a join hook: how many members the room may have for this one to come in. The smallest of all policies and of
--- WEBRTC_MAX_PARTICIPANTS_PER_ROOM holds; the seat is claimed after the last join hook, also by one who has to wait (member.waiting), so
--- that letting him in cannot fail.
---@param seat { max: integer }
function sig.seat(seat) end

--- Consumes a message: it is not relayed, and its sender hears nothing of it.
---@return lunasig.Verdict
function sig.handled() end

--- Goes on, and no further hook looks at this event.
---@return lunasig.Verdict
function sig.accept() end

--- Waits without holding anything up. Other hooks run meanwhile: afterwards `member.present` may be false. What the hook has changed
--- and asked for until now stays and is done. Not at the top level of a file, nor in a comparator of table.sort or a callback of gsub.
---@param time string|number "100ms", "2s", "5min", "1h", "30d", or a number of seconds
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
---@field from? lunasig.Role|"waiting"|(lunasig.Role|"waiting")[]|"server" who may send it; the four roles unless written; "waiting": who waits to be let in, whatever his role; "server": only the server
---@field to? "room"|"others"|"target"|"server"|string|string[] where it goes: "room" unless written; or "role:host", or a list of such
---@field absent? "error"|"broadcast" what happens when the target never was in the room; "error" unless written
---@field connection? "one"|"all" of a target's several connections, only the one that last spoke to the sender; "all" unless written
---@field payload? lunasig.Schema a sig.object; any object unless written
---@field rate? string|string[] at most 4, e.g. "2/s burst 5 per user"; per connection, user, ip or room
---@field keep? "none"|"latest"|"latest per user"|string what the room keeps of it for those who join later: also "log N"; nothing unless written. Messages to single members are never kept.
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
