---@meta lunasig.mongo

--- Whole collections of the MongoDB that MONGODB_URL names, in the database DATABASE_NAME: `local users = sig.mongo.users`, or
--- `sig.mongo "users"`. For what others write or read there too; a policy's own documents are better in `sig.store`, which works with
--- MongoDB and without. Where there is no MongoDB every method is an error that says so.
---
--- Every method waits, like `sig.sleep`, and is for hooks that may wait. Wrong arguments are errors. What MongoDB says comes as
--- `nil, code, message`: UNAVAILABLE (it cannot be reached, or 1,000 calls wait already; nobody knows whether a change was made), TIMEOUT
--- (reads may take as long as a hook may wait), DUPLICATE (a unique index has that value already), TOO_LARGE (what was found has more
--- than 256 KiB, or what is written has more than MongoDB takes), REFUSED (anything else; message has its words). A hook whose time is
--- over (wait_ms) leaves its last call behind, which may still take effect. Calls of several hooks may overtake each other.
---
--- Documents are tables: at most 64 KiB of JSON, 32 levels and 1,024 values. What is found has an ObjectId as a text of 24 digits and a
--- date as milliseconds since 1970; `sig.mongo.id` and `sig.mongo.date` make them for filters and for what is written. What Lua has
--- no value for (binary, regular expressions) is left out.
---
--- A filter names fields, `address.city` those inside of others, and says what each has to be: a text, a number, a boolean, sig.null
--- (also: missing), an id, a date, or conditions made with `sig.mongo.op`. All have to hold; of a list, some element. Nothing else
--- can be an operator: tables and fields that begin with $ are errors, so what a client has sent can be put into a filter.
---
--- Passwords and refresh tokens (fields `hashed_password`, `password_hash`, `password`, `refresh_token…`) are never in what is found, and
--- are not for filters, projections and changes. The collections of Lunasig itself (`lunasig_…`) and of MongoDB (`system.…`) are out of reach.
---@class lunasig.Mongo
---@overload fun(name: string): lunasig.MongoCollection
---@field op lunasig.MongoOp Makes the conditions of filters and the changes of updates.
---@field [string] lunasig.MongoCollection `sig.mongo.users`
local Mongo = {}

--- An ObjectId.
---@param text string 24 hexadecimal digits
---@return lunasig.MongoValue
function Mongo.id(text) end

--- A date.
---@param ms number milliseconds since 1970: `sig.now() * 1000`
---@return lunasig.MongoValue
function Mongo.date(ms) end

--- What `sig.mongo.id`, `sig.mongo.date` and `sig.mongo.op` make: for filters and for what is written.
---@class lunasig.MongoValue

--- `op.gt(5)`, `op("$gt", 5)`; several conditions for one field: `op { gte = 1, lt = 5 }`. Those that run code on the server
--- ($where, $function, $accumulator, $expr) are none of them.
---@class lunasig.MongoOp
---@overload fun(name: string, value: any): lunasig.MongoValue
---@overload fun(conditions: table<string, any>): lunasig.MongoValue
local Op = {}

---@param value any
---@return lunasig.MongoValue
function Op.eq(value) end

--- Also where the field is missing.
---@param value any
---@return lunasig.MongoValue
function Op.ne(value) end

--- Compares values of one type: numbers with numbers, dates with dates, texts by their bytes. So do gte, lt and lte.
---@param value any
---@return lunasig.MongoValue
function Op.gt(value) end

---@param value any
---@return lunasig.MongoValue
function Op.gte(value) end

---@param value any
---@return lunasig.MongoValue
function Op.lt(value) end

---@param value any
---@return lunasig.MongoValue
function Op.lte(value) end

--- $in.
---@param values any[]
---@return lunasig.MongoValue
function Op.one_of(values) end

--- $nin.
---@param values any[]
---@return lunasig.MongoValue
function Op.none_of(values) end

---@param there boolean
---@return lunasig.MongoValue
function Op.exists(there) end

--- A text that begins with this one: `{ _id = op.prefix "r1/" }`.
---@param text string
---@return lunasig.MongoValue
function Op.prefix(text) end

--- Of updates: adds to a number; what is missing counts as 0.
---@param by number
---@return lunasig.MongoValue
function Op.inc(by) end

--- Of updates: takes the field away.
---@return lunasig.MongoValue
function Op.unset() end

---@class lunasig.MongoFindOne
---@field projection? table<string, boolean|integer> fields to take (true or 1), or fields to leave out (false or 0)
---@field sort? string|string[] a field, with - before it for the greatest first; or several

---@class lunasig.MongoFind : lunasig.MongoFindOne
---@field limit? integer 1 to 1000; 100 unless written

---@class lunasig.MongoMany
---@field many? boolean all that match, not the first one

---@class lunasig.MongoCollection
local MongoCollection = {}

--- The first document that matches.
---@param filter table
---@param options? lunasig.MongoFindOne
---@return table? document nil: there is none; nil with a code and a message: it failed
---@return string? code
---@return string? message
function MongoCollection:find_one(filter, options) end

---@param filter table
---@param options? lunasig.MongoFind
---@return table[]? documents
---@return string? code
---@return string? message
function MongoCollection:find(filter, options) end

--- How many documents match.
---@param filter table
---@return number? count
---@return string? code
---@return string? message
function MongoCollection:count(filter) end

---@param document table
---@return string|true? id the ObjectId that it has got; true: it has brought its own _id
---@return string? code
---@return string? message
function MongoCollection:insert(document) end

--- Changes fields of the first document that matches: `users:update({ username = "ann" }, { plan = "pro", visits = op.inc(1) })`.
---@param filter table
---@param change table fields, `address.city` too, and their values, op.inc or op.unset
---@param options? lunasig.MongoMany
---@return number? matched
---@return string? code
---@return string? message
function MongoCollection:update(filter, change, options) end

--- The same, and where none matches a document is made: of the filter's equal fields and the change.
---@param filter table
---@param change table
---@return boolean? made
---@return string? code
---@return string? message
function MongoCollection:upsert(filter, change) end

--- Deletes the first document that matches.
---@param filter table
---@param options? lunasig.MongoMany
---@return number? deleted
---@return string? code
---@return string? message
function MongoCollection:delete(filter, options) end

---@class lunasig
---@field mongo lunasig.Mongo Whole collections of MongoDB.
local sig = {}

return Mongo
