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
--- A name of a collection has 1 to 64 of A-Z a-z 0-9 _ . -; a key has 1 to 256 bytes of UTF-8 without NUL.
---@class lunasig.Store
---@overload fun(name: string): lunasig.Collection
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

--- The counter of that key, which is beside the document; 0 without one.
---@param key string
---@return number
function Collection:count(key) end

--- Adds to a counter, in one step.
---@param key string
---@param by? integer 1 unless written; may be negative
---@param options? lunasig.Incr
---@return number count after it; a counter that would leave ±2^53 is an error and stays as it was
function Collection:incr(key, by, options) end

---@class lunasig
---@field store lunasig.Store Documents and counters that outlive the server.
---@field redis any This version does not speak to Redis: every use is an error that says so.
local sig = {}

return Collection
