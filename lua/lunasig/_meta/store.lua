---@meta lunasig.store

--- Documents and counters that outlive rooms, reloads and the server: `local notes = sig.store "notes"`, at the top level or in a hook.
--- All policies share them; Lunasig's own tables are out of reach. They lie in lunasig.db in DATA_DIR, or in MongoDB with MONGODB_URL.
---
--- Every method waits, like `sig.sleep`: other hooks run meanwhile, and what the hook changed and asked for until now stays and is done.
--- So a document that was read may be another one before it is written: count with `incr`, and claim with `if_absent`. Methods are for
--- hooks that may wait; elsewhere they are an error, and so is what is wrong with their arguments, a database that fails ("sig.store:put:
--- the database failed: database or disk is full"), and a call when 1,000 wait already. A hook whose time is over (wait_ms) leaves its
--- last call behind, which may still take effect. Calls take effect in the order in which they were made.
---
--- What knows the key, `get` to `incr`, raises when the database fails: nil says that there is nothing. What asks for documents by what
--- they have, `find` to `delete`, is the same as in `sig.mongo`, and gives `nil, code, message`: UNAVAILABLE (the database is away, or too many
--- calls wait; nobody knows whether a change was made), DUPLICATE (there is a document of that _id), TOO_LARGE (what was found has more than
--- 256 KiB, what is written more than 64, or more than 10,000 documents or 16 MiB would have to be looked at), REFUSED (a change that makes no
--- sense, such as adding to a text). There each document has its key as `_id`, lists are not among them, and all are looked at, in the order
--- of their keys, but where the filter says which `_id`, or from which to which: `{ _id = op.prefix(room.id .. "/") }`. Filters and changes are
--- as `sig.mongo` has them, made with the same `op`; nothing is hidden, and there are no ids and dates of MongoDB.
---
--- A name of a collection has 1 to 64 of A-Z a-z 0-9 _ . -; a key has 1 to 256 bytes of UTF-8 without NUL.
---@class lunasig.Store
---@overload fun(name: string): lunasig.Collection
---@field op lunasig.MongoOp Makes the conditions of filters and the changes of updates; the same as `sig.mongo.op`.
---@field [string] lunasig.Collection `sig.store.notes`

---@class lunasig.Put
---@field ttl? string|number the document ends after this time: "30s", "12h", or a number of seconds, up to ten years; never unless written
---@field if_absent? boolean writes nothing when there is a document

---@class lunasig.Incr
---@field ttl? string|number holds for a counter that begins with this call; it ends as a whole, also when it was counted up meanwhile

---@class lunasig.List
---@field prefix? string only keys that begin with it
---@field after? string only keys behind it: the last one of the list before
---@field limit? integer 1 to 1000; 100 unless written

---@class lunasig.Collection
local Collection = {}

---@param key string
---@return table? document nil: there is none, or its time is over
function Collection:get(key) end

--- Writes a document: a table, at most 64 KiB of JSON, 32 levels and 1,024 values in all.
---@param key string
---@param document table
---@param options? lunasig.Put
---@return boolean written false: if_absent, and there is one
function Collection:put(key, document, options) end

--- Removes the document and the counter of that key.
---@param key string
---@return boolean removed false: there was neither
function Collection:remove(key) end

--- Documents in the order of the bytes of their keys; fewer than asked for where they have more than 256 KiB together. An empty list says
--- that nothing is left.
---@param options? lunasig.List
---@return { key: string, value: table }[]
function Collection:list(options) end

--- The counter of that key, which is beside the document; 0 without one. With a filter: how many documents match.
---@param key string|table
---@return number? count
---@return string? code
---@return string? message
function Collection:count(key) end

--- Adds to a counter, in one step.
---@param key string
---@param by? integer 1 unless written; may be negative
---@param options? lunasig.Incr
---@return number count after it; a counter that would leave ±2^53 is an error and stays as it was
function Collection:incr(key, by, options) end

--- The first document that matches, with its key as `_id`: `notes:find_one { by = member.id }`.
---@param filter table
---@param options? lunasig.MongoFindOne
---@return table? document nil: there is none; nil with a code and a message: it failed
---@return string? code
---@return string? message
function Collection:find_one(filter, options) end

---@param filter table
---@param options? lunasig.MongoFind
---@return table[]? documents in the order of their keys, unless sort says otherwise
---@return string? code
---@return string? message
function Collection:find(filter, options) end

---@class lunasig.Made
---@field ttl? string|number a document that is made ends after this time, as in `put`

--- Writes a document that was not there: under its `_id`, or under a key of 32 random digits.
---@param document table
---@param options? lunasig.Made
---@return string|true? key the key that it has got; true: it has brought its own
---@return string? code
---@return string? message
function Collection:insert(document, options) end

--- Changes fields of the first document that matches: `notes:update({ by = "ann" }, { ["place.city"] = "Bern", read = op.inc(1) })`. Nobody else's
--- change of the same document is lost; when it ends stays.
---@param filter table
---@param change table fields, `place.city` too, and their values, op.inc or op.unset
---@param options? lunasig.MongoMany
---@return number? matched
---@return string? code
---@return string? message
function Collection:update(filter, change, options) end

--- The same, and where none matches a document is made: of the filter's equal fields and the change.
---@param filter table
---@param change table
---@param options? lunasig.Made
---@return boolean? made
---@return string? code
---@return string? message
function Collection:upsert(filter, change, options) end

--- Removes the first document that matches; counters stay.
---@param filter table
---@param options? lunasig.MongoMany
---@return number? deleted
---@return string? code
---@return string? message
function Collection:delete(filter, options) end

---@class lunasig
---@field store lunasig.Store Documents and counters that outlive the server.
---@field redis any This version does not speak to Redis: every use is an error that says so.
local sig = {}

return Collection
