---@meta lunasig.json

---@class lunasig.Json
local Json = {}

--- A value as JSON text. A table with the keys 1 to n is an array, one with texts as keys an object; an empty one is an object, unless it
--- came from JSON as an array or is one by `sig.json.array`. Functions, handles, infinite numbers, mixed keys and circles are errors.
---@param value any
---@param options? { max: integer } bytes, at most and unless written 1,048,576
---@return string
function Json.encode(value, options) end

--- The value of a JSON text (RFC 8259, at most 1 MiB), read as strictly as messages are: 32 levels, 1,024 values, UTF-8 without NUL.
--- `local value, problem = sig.json.decode(text)`. A null is a missing field in an object and sig.null elsewhere.
---@param text string
---@return any value nil: the text is wrong
---@return string? problem what is wrong, and at which byte
function Json.decode(text) end

--- Makes a table an array also while it is empty: `room:send("queue", { queue = sig.json.array(list) })`. A copy is not marked.
---@generic T: table
---@param list? T a new table unless written
---@return T
function Json.array(list) end

---@class lunasig
---@field json lunasig.Json JSON texts to values and back.
local sig = {}

return Json
