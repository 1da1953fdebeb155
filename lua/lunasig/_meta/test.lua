---@meta lunasig.test

--- Tests travel with the policy: they run when a bundle is loaded, before it comes into force, in `lunasig check` too. A bundle
--- whose tests fail is not loaded. All tests of a bundle together may take POLICY_TEST_S (5 s) of real time there. `lunasig test`
--- runs them, too, and files that are loaded in place of policy.lua (scenarios): each test may take 10 s of real time then.
---
--- Each test has a server of its own, without sockets: the same rooms, limits, hooks and timers, between virtual clients, with the
--- settings' defaults. Time stands still unless the test lets it pass, and begins on a Monday at noon UTC; `sig.now`, `os.time`,
--- `os.date` and `math.random` give the same each time. What the policy's files keep in local variables is shared by all tests.
---@class lunasig.test

---@class lunasig
local sig = {}

---@class lunasig.TestOptions
---@field slow? boolean not run when the bundle is loaded; `lunasig test --slow` runs it
---@field virtual? boolean needs virtual time, as where it has to know to a few milliseconds how much has passed: `lunasig test --real` skips it
---@field settings? table<string, string|number|boolean> of its server, as in a settings file, in place of the defaults: `{ WEBSOCKET_MESSAGE_RATE_LIMIT = "5/s" }`; at most 32; not those of the machine of all tests (POLICY_CPU_MS, POLICY_MEMORY_MB …)
---@field date? string when it begins, in UTC, from 1970 to 2099: "2026-03-01T09:00:00Z"; "2026-01-05T12:00:00Z", a Monday, unless written
---@field seed? integer of what is random in it, 0 to 4294967295; that of the round unless written: 1, or what `lunasig test --seed` says

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
---
--- Options that do not exist or do not fit are refused when the file is loaded.
---@param name string one line of 1 to 200 bytes; no other test has it
---@param test fun(t: lunasig.Test)
---@overload fun(name: string, options: lunasig.TestOptions, test: fun(t: lunasig.Test))
function sig.test(name, test) end

---@alias lunasig.Duration string|number "100ms", "2s", "5min", "1h", "1d", or a number of seconds; at most 400 days

---@class lunasig.ClientOptions
---@field user? string its id, the `sub` of its token: 1 to 128 bytes; `user1`, `user2` … unless written
---@field claims? table what its token says besides: `member.claims` in hooks; `username`, `exp` are understood
---@field dialect? "lunasig.v1"|"compat" `lunasig.v1` unless written
---@field address? string 192.0.2.1 unless written
---@field expires? lunasig.Duration life of its token from each join on; JWT_ACCESS_TOKEN_EXPIRE_MINUTES (a day) unless written
---@field auth? "upgrade"|"message"|"none" its token comes with the request for the WebSocket (unless written), in its first message, or not by itself (then `sends("auth", { token = … })` within 5 s, or is_closed(4401)); a message is for lunasig.v1 alone
---@field node? string that it connects to: the first one, "n1", unless written
---@field token? string that it shows in place of one made of its claims, as `t:token` makes them; "": none

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

--- A metric as /metrics has it: a counter since the test began, a gauge as it is. Its name is that of /metrics, or the one that the
--- policy declares with sig.metric. An unknown name is an error.
---@param name string "lunasig_joins_total", "hands_raised"
---@param labels? table<string, string|number|boolean> only sets that have these count: `{ code = "ROOM_FULL" }`; all are added up unless written
---@return number # 0 where nothing was counted yet
function Test:metric(name, labels) end

--- The metric has this value, or the test fails and says which it has.
---@param name string as of `t:metric`
---@param value number|table a number, or `t.any`, `t.capture(name)`
---@param labels? table<string, string|number|boolean>
function Test:expects_metric(name, value, labels) end

--- Something like this was logged since the test began, or is within the time: by the server (`hook-failed`, `closing`, …) or by sig.log
--- (`policy-log`, with `text`, `at` = file:line and its own fields). Each event is taken once, in any order. Whether hooks may fail is
--- `t:expects_error`'s. Of a test 5,000 events are kept, of a field 1,024 bytes.
---@param pattern string|table a text is the event: `t:logged { event = "policy-log", level = "warning", text = t.match "^raised" }`; members that are not named may be anything; `within` lets time pass until it comes
---@return table # the event: level, event, and its fields
function Test:logged(pattern) end

--- Nothing like this was logged that no `t:logged` has taken, nor is within the time.
---@param pattern? string|table
function Test:logged_nothing(pattern) end

---@class lunasig.TestRequest
---@field method? "GET"|"HEAD"|"POST"|"PUT"|"PATCH"|"DELETE" GET unless written; it may stand in front of the path, too
---@field path? string "/webrtc/rooms/r1/queue?all=1"
---@field body? table|string a table goes out as JSON, a text as it is
---@field token? string of the header Authorization; "": none. A client's own, and none for `t:request`, unless written
---@field headers? table<string, string> those that policies see (`request:header`)
---@field address? string the client's, or 192.0.2.1, unless written
---@field node? string which server is asked: the client's, or the first one, unless written

---@class lunasig.TestResponse
---@field status integer
---@field body any JSON as a table, else a text; nil: none
---@field headers table<string, string> names in small letters: content-type, allow, retry-after, www-authenticate and the policy's own

--- An HTTP request, answered as the server would: routes of policies (sig.route) with their tokens, rates, roles, shapes and hooks, and of
--- the server's own /health, /ready, /live and /webrtc/config. Time passes while the route waits (two minutes at most). A hook that fails
--- is answered 500, and fails the test unless it is expected.
--- `t:request("POST /webrtc/rooms/r1/poll", { question = "Tea?" }, { token = t:token { user = "ann" } })`
---@param request string|lunasig.TestRequest "GET /path", or all of it
---@param body? table|string
---@param options? lunasig.TestRequest
---@return lunasig.TestResponse
function Test:request(request, body, options) end

---@class lunasig.TokenOptions
---@field user? string its `sub`; has to be written
---@field claims? table what it says besides; `exp`, `username`, `jti` are understood
---@field expires? lunasig.Duration its life from now on; "-1h" or -3600: it has ended by then; JWT_ACCESS_TOKEN_EXPIRE_MINUTES unless written
---@field key? "other" signed with a key that the server does not know; its own unless written

--- An access token, signed as the server signs them.
---@param options lunasig.TokenOptions
---@return string
function Test:token(options) end

--- A room as it is now, or nil.
---@param id string
---@param options? lunasig.NodeOptions
---@return { id: string, count: integer, host: string?, members: { id: string, username: string, role: string, away: boolean, waiting: boolean, connections: integer, attr: table, data: table }[] }?
function Test:room(id, options) end

--- What a policy remembers of a room: a list of keys for a set, a list, a table for a map, a number for a counter, a value. Containers
--- that nothing was ever written to may be missing. nil: there is no such room.
---@param room string
---@param policy? string|lunasig.NodeOptions as in `sig.policy { name = … }`; that of the test unless written
---@param options? lunasig.NodeOptions
---@return table?
function Test:state(room, policy, options) end

---@class lunasig.NodeOptions
---@field node? string the name of one that lives; the first one, "n1", unless written

--- Another server, or one that was killed anew: its policies are loaded from the same files into a machine of its own, and its `start`
--- hooks run. The first one, "n1", is always there. Nodes share the clock, tokens, metrics, the log and what `sig.store` keeps. Rooms are
--- each node's own: two nodes may have a room of the same id, and nothing passes from one to the other. At most 8.
---
---     t:node { name = "n2" }
---     local bob = t:client { user = "bob", node = "n2" }
---@param options { name: string } 1 to 32 letters, digits, `_`, `.` and `-`
function Test:node(options) end

--- A node begins its orderly end, as a server does on SIGTERM: its clients hear `draining`, their connections close (`is_closed(1001)`),
--- and their members are away until RESUME_WINDOW_S is over. It takes nobody any more (`is_refused "DRAINING"`), and /health says so. A real
--- server hands its sessions to the next one on the same data folder; a test's ends with `t:kill`.
---@param node? string "n1" unless written
function Test:drain(node) end

--- A node dies as by a power cut: its connections break (`is_closed(1006)`), its rooms, resumes, timers and waiting hooks are gone, and
--- no hook hears of it. Its clients may `joins` or `resumes` on another; a resume finds nobody there and is a join. The test itself goes
--- on, even when it is "n1".
---@param node string
function Test:kill(node) end

--- Fails the test and says why: nodes are not linked over Redis, so there is nothing that could break.
---@param how string
function Test:redis(how) end

--- The database behind `sig.store` and `sig.mongo`, for all nodes: "up" (as each test begins); "down": each call fails at once with the error `the
--- database failed`; "slow": calls wait until it is up or down, or the time of their hook is over (POLICY_WAIT_MS).
---@param how "up"|"down"|"slow"
function Test:store(how) end

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
---@param options? lunasig.NodeOptions the node that it connects to from here on; the same as before unless written
---@return lunasig.Frame? # its room-state, which counts as read; nil: it was refused
function TestClient:joins(room, options) end

--- Sends a message: `ann:sends("chat-message", { content = "hello" })`, or with all there is:
--- `ann:sends { type = "offer", payload = { … }, target = "bob", id = 1 }`.
---@param type string|{ type: string, payload?: table, target?: string, id?: integer, timestamp?: string }
---@param payload? table `{}` unless written
---@param target? string user or peer_id
function TestClient:sends(type, payload, target) end

--- Sends a frame as it stands, for what no client should send. What ends the connection without an `error` frame is seen by `is_closed`:
--- 1009 too big, 1007 no UTF-8.
---@param frame string|{ hex: string } bytes that are no text: `{ hex = "7b 22 ff" }`
function TestClient:sends_raw(frame) end

--- Sends a binary frame, which no server accepts: `is_closed(1003)`.
---@param frame string|{ hex: string }
function TestClient:sends_binary(frame) end

--- Sends a fresh token (`auth`) while it is in the room: `token-refreshed` or an `error` comes. Later tokens of the client are like it.
---@param options? { expires?: lunasig.Duration, claims?: table, key?: "other" } as of `t:token`; as before unless written
function TestClient:refreshes(options) end

--- An HTTP request with the client's token, from its address: `ann:requests("POST /webrtc/rooms/r1/poll", { question = "Tea?" })`. See
--- `t:request`.
---@param request string|lunasig.TestRequest
---@param body? table|string
---@param options? lunasig.TestRequest
---@return lunasig.TestResponse
function TestClient:requests(request, body, options) end

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
---@param options? lunasig.NodeOptions as of `joins`
---@return lunasig.Frame? # its room-state, which counts as read; nil: it was refused
function TestClient:resumes(options) end

--- Reads nothing any more: frames wait for it, at most WEBSOCKET_OUTBOX_BYTES (256 KiB) of them; with more the server closes it (4408,
--- `too-slow` in the log), and it has missed them. It answers no ping either: after 25 s without a message of its own it is away. What the
--- network would hold on the way does not count.
function TestClient:stalls() end

--- Reads again after `stalls`: all that waited comes, in its order.
function TestClient:reads() end

--- Says good-bye (close 1000): it has left.
function TestClient:leaves() end

return Test
