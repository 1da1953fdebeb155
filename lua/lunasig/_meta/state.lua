---@meta lunasig.state

--- What a policy remembers about a room: declared once per file with `sig.room_state`, held by the core, kept over reloads. It is
--- the policy's own: `room.state` is the state of the policy whose hook runs, also in the files that it requires;
--- `room:state_of "std.chat"` is that of another one. All that the policies of a room remember has at most POLICY_STATE_BYTES
--- (64 KiB; each key and value counts 32 bytes besides its own). What a hook changes is seen by it at once, stays when it waits or
--- returns, and is taken back when it fails.
---
--- Containers are no tables: `pairs`, `ipairs`, `next` and `#` raise an error that names the method to use. What `:copy()`, `:get()`,
--- `:at()` and reading a value give is a plain copy. `sig.null` is kept and comes back as `sig.null`.
---@class lunasig.state

---@alias lunasig.Json string|number|boolean|table|lightuserdata a text, a finite number, true or false, sig.null, or a table of such, at most 32 levels deep

---@class lunasig
local sig = {}

---@class lunasig.StateStep
---@field up fun(old: table): table gets all containers of the version before as plain values, returns those of the next version
---@field down? fun(new: table): table the way back; without it a rollback over this version has to drop the state

---@class lunasig.RoomState containers by name, besides these two; at most 64, with letters, digits and _
---@field version? integer 1 unless written; raise it when containers change their kind or meaning, and write the step in migrate
---@field migrate? table<integer, lunasig.StateStep> by the version that the step starts from; the last is version - 1

---@class lunasig.StateContainer what sig.set and so on give, for sig.room_state

--- Declares what the policy of this file remembers about each room:
---
---     sig.room_state {
---       version = 2,
---       hands  = sig.set { max = 200 },
---       locked = sig.value { type = sig.boolean, default = false },
---       migrate = { [1] = { up = function(old) return { hands = old.hands } end } },
---     }
---
--- Once per file, behind `sig.policy`. A room whose state is of an older version is migrated before the next hook in it runs: a step
--- gets a table with a list of keys for a set, a list, a table for a map, a number for a counter, and returns one of the same form
--- for the next version. Missing containers are empty, others than declared are an error. A step may not wait, and has the processor
--- time of a hook; when it fails the event fails with POLICY_ERROR and the room stays as it was.
---@param state lunasig.RoomState|table<string, lunasig.StateContainer>
function sig.room_state(state) end

---@class lunasig.BoundedOptions
---@field max? integer entries, 1 to 10,000; 1,000 unless written
---@field value? lunasig.Schema what each entry (of a set: each key) has to be

---@class lunasig.ValueOptions
---@field type? lunasig.Schema what it has to be; anything that JSON can say unless written
---@field default? lunasig.Json what reading it gives while nobody has set it; nil unless written

--- Texts, each once, in the order in which they were added.
---@param options? lunasig.BoundedOptions
---@return lunasig.StateContainer
function sig.set(options) end

--- Values in an order.
---@param options? lunasig.BoundedOptions
---@return lunasig.StateContainer
function sig.list(options) end

--- Values by texts, in the order in which the texts were first set.
---@param options? lunasig.BoundedOptions
---@return lunasig.StateContainer
function sig.map(options) end

--- A whole number up to 2^53; 0 at first.
---@param options? {}
---@return lunasig.StateContainer
function sig.counter(options) end

--- One value: read as `room.state.locked`, set by plain assignment; nil brings back the default.
---@param options? lunasig.ValueOptions
---@return lunasig.StateContainer
function sig.value(options) end

--- A plain copy: of a container what its :copy() gives, of `room.state` a table of all containers, of `member.attr` and
--- `member.data` a table. An error for anything else.
---@param of lunasig.Set|lunasig.List|lunasig.Map|lunasig.Counter|lunasig.State|lunasig.Props
---@return any
function sig.copy(of) end

--- `room.state`: the containers under their names. Values and counters can be assigned. A name that is not declared is an error.
---@class lunasig.State
---@field [string] any

--- Keys are texts of 1 to 256 bytes of UTF-8. Full, or above the room's bound: an error of the hook.
---@class lunasig.Set
local Set = {}

--- true: it was not there.
---@param key string
---@return boolean added
function Set:add(key) end

--- true: it was there.
---@param key string
---@return boolean removed
function Set:remove(key) end

---@param key string
---@return boolean
function Set:has(key) end

---@return integer
function Set:count() end

--- `for key in set:each() do`: over what is there when the loop begins; its body may change the set.
---@return fun(): string?
function Set:each() end

--- A list of the keys.
---@return string[]
function Set:copy() end

function Set:clear() end

--- Positions count from 1; negative ones from the end.
---@class lunasig.List
local List = {}

--- Adds at the end.
---@param value lunasig.Json
function List:push(value) end

--- Takes the first out; nil: the list is empty.
---@return lunasig.Json?
function List:pop() end

--- Takes the last out; nil: the list is empty.
---@return lunasig.Json?
function List:pop_last() end

--- nil: there is no such position.
---@param position integer
---@return lunasig.Json?
function List:at(position) end

--- Replaces; an error where there is no such position.
---@param position integer
---@param value lunasig.Json
function List:set(position, value) end

--- Puts it there and moves the others; count + 1 is the end.
---@param position integer
---@param value lunasig.Json
function List:insert(position, value) end

--- Takes it out and gives it; nil: there is no such position.
---@param position integer
---@return lunasig.Json?
function List:remove(position) end

--- The first position of a text, a number, true or false; nil: it is not there.
---@param value string|number|boolean
---@return integer?
function List:index_of(value) end

---@return integer
function List:count() end

--- `for i, value in list:each() do`: over what is there when the loop begins; its body may change the list.
---@return fun(): integer?, lunasig.Json?
function List:each() end

--- A list of the values.
---@return lunasig.Json[]
function List:copy() end

function List:clear() end

--- Keys are texts of 1 to 256 bytes of UTF-8.
---@class lunasig.Map
local Map = {}

---@param key string
---@return lunasig.Json?
function Map:get(key) end

--- nil removes it.
---@param key string
---@param value lunasig.Json?
function Map:set(key, value) end

--- true: it was there.
---@param key string
---@return boolean removed
function Map:remove(key) end

---@param key string
---@return boolean
function Map:has(key) end

--- Adds to the number that stands there, 0 if nothing does; gives the sum. An error where something else stands.
---@param key string
---@param by? number 1 unless written
---@return number
function Map:incr(key, by) end

--- A list of the keys.
---@return string[]
function Map:keys() end

---@return integer
function Map:count() end

--- `for key, value in map:each() do`: over what is there when the loop begins; its body may change the map.
---@return fun(): string?, lunasig.Json?
function Map:each() end

--- A table of the values by key; it has no order.
---@return table<string, lunasig.Json>
function Map:copy() end

function Map:clear() end

--- A number is assigned: `room.state.polls = 0`; comparing the counter itself with a number gives false: compare its :get().
---@class lunasig.Counter
local Counter = {}

---@return integer
function Counter:get() end

--- Adds and gives the sum. An error beyond 2^53.
---@param by? integer 1 unless written; may be negative
---@return integer
function Counter:incr(by) end

--- As :get().
---@return integer
function Counter:copy() end

--- Named values on a member, assigned and read like fields; reading gives a plain copy, nil removes. Names are texts of 1 to 64
--- bytes, at most 64 of them. They stay over a reload and leave with the member. Setting one on a member who has left raises GONE.
---@class lunasig.Props
---@field [string] lunasig.Json?

return sig
