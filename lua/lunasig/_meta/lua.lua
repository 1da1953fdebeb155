---@meta

-- What policies get of Lua's own functions where it differs from Lua 5.1: each call has a bound, and an error that names it. The others
-- are as LuaJIT has them. There is no io, debug, package, jit, ffi, load, loadstring, loadfile, dofile, setfenv, getfenv, newproxy,
-- collectgarbage, module, _G, string.dump, math.randomseed, and of os only clock, date and time.

--- Calls fn(...). The handler is always the stock one, which adds a traceback to errors that are texts: any other than nil is an error.
--- What waits may be called in fn.
---@param fn function
---@param handler nil
---@param ... any given to fn
---@return boolean ok
---@return any ... what fn returned, or the error
function xpcall(fn, handler, ...) end

--- Texts and patterns have at most 1 MiB, and so has what gsub makes. A call, and each step of gmatch, takes at most 4,000,000 steps (a
--- step is one item of the pattern tried at one place); it is an error when a pattern needs more, as it is when the hook's cpu_ms are used
--- up on the way.
---@class stringlib
string = {}

--- Where the pattern is first found: its first and last byte, then its captures. nil: nowhere.
---@param text string|number
---@param pattern string|number
---@param init? integer where to begin, from 1; negative: from the end
---@param plain? boolean the pattern is a plain text
---@return integer? first
---@return integer? last
---@return any ...
function string.find(text, pattern, init, plain) end

--- The captures of the first match, or all of it where the pattern has none. nil: there is no match.
---@param text string|number
---@param pattern string|number
---@param init? integer where to begin, from 1; negative: from the end
---@return any ...
function string.match(text, pattern, init) end

--- Gives what string.match gives, of one match after the other. A ^ in front is a byte like others.
---@param text string|number
---@param pattern string|number
---@return fun(): any ...
function string.gmatch(text, pattern) end

--- The text with its matches replaced, and how many. In a text %0 is the match and %1 to %9 what it captured; a table is asked for the
--- first capture and a function for all of them, and false or nil keep the match. Functions must not wait; gsub in a function of gsub,
--- and so on, goes 4 deep.
---@param text string|number
---@param pattern string|number
---@param replacement string|number|table|fun(...): any
---@param max? integer how many at most
---@return string
---@return integer count
function string.gsub(text, pattern, replacement, max) end

--- Coroutines of a policy's own. At most 10,000 of them that have not ended, over all hooks; at most 100 that have resumed each other.
--- What waits, such as sig.sleep, may be called in them, and makes the hook wait. One that is suspended when its hook ends is dropped.
---@class coroutinelib
coroutine = {}

---@param fn function
---@return thread
function coroutine.create(fn) end

--- Runs it until it yields, ends or fails. false and a text: it failed, has ended, runs already, or waits for something.
---@param co thread
---@param ... any given to its function, or returned by its coroutine.yield
---@return boolean ok
---@return any ... what it yielded or returned, or the error
function coroutine.resume(co, ...) end

--- Suspends the running one. Not in a hook itself, a comparator of table.sort, or a function of gsub.
---@param ... any returned by coroutine.resume
---@return any ... what coroutine.resume is given next
function coroutine.yield(...) end

--- A function that resumes a coroutine and raises what makes it fail; a text without a place gets the caller's.
---@param fn function
---@return fun(...): any ...
function coroutine.wrap(fn) end

---@param co thread
---@return "running"|"suspended"|"normal"|"dead"
function coroutine.status(co) end

--- The running coroutine; nil in a hook itself.
---@return thread?
function coroutine.running() end

--- Whether coroutine.yield may be called.
---@return boolean
function coroutine.isyieldable() end
