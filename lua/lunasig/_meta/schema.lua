---@meta lunasig.schema

---@alias lunasig.JsonType "null"|"boolean"|"number"|"string"|"object"|"array"

---@class lunasig.SchemaOptions
---@field optional? boolean as a field of an object: it may be missing
---@field null? boolean null passes too
---@field min? number strings: characters, numbers: value, arrays: elements
---@field max? number
---@field one_of? string[] strings: one of these
---@field extra? boolean objects: members that are not named pass
---@field compat? lunasig.JsonType|lunasig.JsonType[] types that pass besides, for clients that do not speak lunasig.v1

--- The shape of a payload or of a part of it. Calling one gives a copy with more said about it: `sig.string { max = 140 }`,
--- `sig.object({ text = sig.string }, { optional = true })`, `sig.array(sig.integer, { max = 10 })`.
---
--- For compat clients only the JSON types of known fields are checked; null, missing and further fields pass. For lunasig.v1 all is.
---@class lunasig.Schema
---@overload fun(options: lunasig.SchemaOptions): lunasig.Schema
---@overload fun(below: table<string, lunasig.Schema>|lunasig.Schema, options?: lunasig.SchemaOptions): lunasig.Schema
local Schema = {}

return Schema
