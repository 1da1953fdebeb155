---@meta lunasig.test

--- Tests travel with the policy: they run when a bundle is loaded, before it comes into force, in `lunasig check` too. A bundle
--- whose tests fail is not loaded. All tests of a bundle together may take POLICY_TEST_S (5 s) of real time.
---
--- Each test has a server of its own, without sockets: the same rooms, limits, hooks and timers, between virtual clients, with the
--- settings' defaults. Time stands still unless the test lets it pass, and begins on a Monday at noon UTC; `sig.now`, `os.time`,
--- `os.date` and `math.random` give the same each time. What the policy's files keep in local variables is shared by all tests.
---@class lunasig.test

---@class lunasig
local sig = {}

--- Declares a test, at the top level of a file of the bundle:
---
---     sig.test("who is muted cannot chat", function(t)
---       local ann, bob = t:client "ann", t:client "bob"
---       ann:joins "r1"; bob:joins "r1"
---       ann:sends("chat-message", { content = "hello" })
---       bob:receives("chat-message", { content = "hello" })
---     end)
---
--- It fails when an expectation fails, when its own code fails, and when any hook fails that it did not expect to
--- (`t:expects_error`). Tests in files of the library (`lua/`) do not run when a bundle uses them.
---@param name string one line of 1 to 200 bytes; no other test has it
---@param test fun(t: lunasig.Test)
function sig.test(name, test) end

---@alias lunasig.Duration string|number "100ms", "2s", "5min", "1h", "1d", or a number of seconds; at most 400 days

---@class lunasig.ClientOptions
---@field user? string its id, the `sub` of its token: 1 to 128 bytes; `user1`, `user2` … unless written
---@field claims? table what its token says besides: `member.claims` in hooks; `username`, `exp` are understood
---@field dialect? "lunasig.v1"|"compat" `lunasig.v1` unless written
---@field address? string 192.0.2.1 unless written
---@field expires? lunasig.Duration life of its token from each join on; JWT_ACCESS_TOKEN_EXPIRE_MINUTES (a day) unless written

---@class lunasig.Test
---@field any table in a pattern: any value but null
---@field match fun(pattern: string): table in a pattern: a text in which Lua's pattern is found
---@field capture fun(name: string): table in a pattern: any value the first time, and from then on the same one; at most 100 names
---@field exactly fun(value: any): table in a pattern: this and nothing else, where a table otherwise names some members only
local Test = {}

--- A new client, without a connection yet. At most 1,000.
---@param options? string|lunasig.ClientOptions a text is the user
---@return lunasig.TestClient
function Test:client(options) end

--- Lets time pass: timers, waits of hooks, ends of tokens, rates and pings happen on the way, in their order.
---@param time lunasig.Duration
function Test:advance(time) end

--- What `t.capture(name)` stood for.
---@param name string
---@return any
function Test:captured(name) end

--- A hook is going to fail with an error that Lua's pattern is found in; without this any error of a hook fails the test. At most 20.
--- Hooks fail for a policy error, not by `sig.deny`.
---@param pattern string
function Test:expects_error(pattern) end

--- A room as it is now, or nil.
---@param id string
---@return { id: string, count: integer, host: string?, members: { id: string, username: string, role: string, away: boolean, connections: integer, attr: table, data: table }[] }?
function Test:room(id) end

--- What a policy remembers of a room: a list of keys for a set, a list, a table for a map, a number for a counter, a value. Containers
--- that nothing was ever written to may be missing. nil: there is no such room.
---@param room string
---@param policy? string as in `sig.policy { name = … }`; that of the test unless written
---@return table?
function Test:state(room, policy) end

--- A client of a test. Each of its functions does what is to be done at once after it (hooks, relays, timers that are due), and
--- lets no time pass unless it says so.
---@class lunasig.TestClient
local TestClient = {}

---@class lunasig.Frame what comes over the wire, as a table; null is nil
---@field type string
---@field payload table
---@field sender_id? string
---@field sender_peer_id? string
---@field room_id? string
---@field timestamp string
---@field seq? integer lunasig.v1

--- A frame as it is wanted. Members that are not named may be anything; lists have as many elements; `{}` is any table.
---@class lunasig.Pattern
---@field type? string|table
---@field payload? table
---@field sender_id? string|table
---@field sender_peer_id? string|table
---@field room_id? string|table
---@field timestamp? string|table
---@field seq? integer|table
---@field within? lunasig.Duration lets time pass until it comes, this long at most

--- Connects and enters a room. While a hook waits, time passes (two minutes at most). When it is refused, the next line of the test
--- has to be about that (`is_refused`, `is_closed`), or the test fails.
---@param room string
---@return lunasig.Frame? # its room-state, which counts as read; nil: it was refused
function TestClient:joins(room) end

--- Sends a message: `ann:sends("chat-message", { content = "hello" })`, or with all there is:
--- `ann:sends { type = "offer", payload = { … }, target = "bob", id = 1 }`.
---@param type string|{ type: string, payload?: table, target?: string, id?: integer, timestamp?: string }
---@param payload? table `{}` unless written
---@param target? string user or peer_id
function TestClient:sends(type, payload, target) end

--- Sends a frame as it stands, for what no client should send.
---@param text string
function TestClient:sends_raw(text) end

--- A frame like this has come, or comes within the time: `bob:receives("chat-message", { content = t.match "^hel" })`,
--- `bob:receives { type = "role-updated", payload = { role = "host" }, within = "10s" }`. Frames are read in their order: those in
--- front of it count as read too.
---@param pattern string|lunasig.Pattern a text is the type
---@param payload? table behind a type
---@param options? { within?: lunasig.Duration }
---@return lunasig.Frame
function TestClient:receives(pattern, payload, options) end

--- No unread frame is like this (without a pattern: there is none at all), nor comes within the time. Reads nothing.
---@param pattern? string|lunasig.Pattern
---@param payload? table
---@param options? { within?: lunasig.Duration }
function TestClient:receives_nothing(pattern, payload, options) end

--- An unread `error` frame of this code has come, or its connection was refused: then with that code or HTTP status.
---@param code? string|integer any unless written
---@return lunasig.Frame? # the `error` frame
function TestClient:is_refused(code) end

--- The server has closed its connection, or does within the time.
---@param code? integer any unless written
---@param options? { within?: lunasig.Duration }
function TestClient:is_closed(code, options) end

--- Its network is gone: nothing passes any more, and the server notices by its silence, after 25 s at most.
function TestClient:vanishes() end

--- Its connection breaks, and the server sees it at once: it is away, and may resume.
function TestClient:drops() end

--- Returns with the resume token and the `seq` of the last frame that it has got (compat: as the same user). What it missed follows
--- the room-state.
---@return lunasig.Frame? # its room-state, which counts as read; nil: it was refused
function TestClient:resumes() end

--- Says good-bye (close 1000): it has left.
function TestClient:leaves() end

return Test
