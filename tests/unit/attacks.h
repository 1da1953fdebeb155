// attacks.h - what a policy may try against the server, one line of Lua each: X(what it is, the
// Lua, what the error has to say). test_script_sandbox_attacks.c runs them in a hook; so does
// tests/wire/test_attacks.py, against a server, which reads this file: strings in double quotes
// only, without escapes.
#pragma once

// clang-format off

// Loops without an end, in all shapes: each is stopped for its processor time.
#define ATTACKS_LOOPS(X) \
    X("while", "while true do end", "stopped after") \
    X("repeat", "repeat local x until false", "stopped after") \
    X("goto", "::top:: goto top", "stopped after") \
    X("for", "for i = 1, math.huge do end", "stopped after") \
    X("tail calls", "local function g() return g() end g()", "stopped after") \
    X("pcall around", "while true do pcall(function() while true do end end) end", "stopped after") \
    X("xpcall around", "while true do xpcall(function() while true do end end) end", "stopped after") \
    X("pcall of itself", "local function g() pcall(g) pcall(g) end while true do g() end", "stopped after") \
    X("__index", "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) " \
      "while true do pcall(function() return t[1] end) end", "stopped after") \
    X("__lt in a sort", "local m = { __lt = function() while true do end end } " \
      "table.sort { setmetatable({}, m), setmetatable({}, m) }", "stopped after") \
    X("__tostring", "tostring(setmetatable({}, { __tostring = function() while true do end end }))", \
      "stopped after") \
    X("coroutine resumed", "local c = coroutine.wrap(function() while true do coroutine.yield() end end) " \
      "while true do c() end", "stopped after") \
    X("within a coroutine", "coroutine.wrap(function() while true do end end)()", "stopped after") \
    X("pcall of coroutines", "while true do pcall(coroutine.wrap(function() " \
      "pcall(coroutine.wrap(function() while true do end end)) while true do end end)) end", "stopped after") \
    X("coroutines made", "while true do pcall(coroutine.create, print) end", "stopped after") \
    X("coroutine in a comparator", "table.sort({ 1, 2 }, function() " \
      "while true do pcall(coroutine.wrap(function() while true do end end)) end end)", "stopped after") \
    X("iterator", "for _ in function() return 1 end do end", "stopped after") \
    X("text that grows", "local s = '' while true do s = (s .. 'x'):sub(-1000) end", "stopped after") \
    X("garbage", "while true do local t = {} for i = 1, 100 do t[i] = { i } end end", "stopped after") \
    X("comparator", "table.sort({ 1, 2, 3 }, function() while true do end end)", "stopped after") \
    X("pcall in a comparator", "table.sort({ 1, 2, 3 }, function() " \
      "while true do pcall(function() while true do end end) end end)", "stopped after") \
    X("sorts", "local t = {} for i = 1, 1e5 do t[i] = -i end while true do table.sort(t) end", "stopped after") \
    X("callback of gsub", "('x'):gsub('x', function() while true do end end)", "stopped after") \
    X("pcall in a callback of gsub", "while true do pcall(('x'):rep(100).gsub, 'xx', 'x', " \
      "function() while true do pcall(function() while true do end end) end end) end", "stopped after") \
    X("__index under gsub", "('x'):gsub('x', setmetatable({}, { __index = function() while true do end end }))", \
      "stopped after") \
    X("short patterns", "while true do ('abc'):find('b.') end", "stopped after") \
    X("gmatch", "while true do for _ in ('abc'):gmatch('') do end end", "stopped after") \
    X("errors", "while true do pcall(error, {}) end", "stopped after") \
    X("inserts", "local t = {} while true do table.insert(t, 1, 1) end", "stopped after")

// One call in C that would take minutes to years: stopped for its steps or its processor time.
#define ATTACKS_PATTERNS(X) \
    X("three lazy repetitions", "('a'):rep(2000):find('.-.-.-b')", "policy.lua") \
    X("eight of them", "('a'):rep(30000):find(('.-'):rep(8) .. 'b')", "policy.lua") \
    X("greedy repetitions", "('a'):rep(2000):match('.*.*.*b')", "policy.lua") \
    X("optional bytes", "('a'):rep(100):match(('a?'):rep(100) .. ('a'):rep(100) .. 'b')", "policy.lua") \
    X("gmatch", "('a'):rep(2000):gmatch('.-.-.-b')()", "policy.lua") \
    X("gsub", "('a'):rep(2000):gsub('.-.-.-b', '')", "policy.lua") \
    X("each start", "('a'):rep(1e6):find('a*b')", "policy.lua") \
    X("a set of many", "('a'):rep(1e6):find('[' .. ('b'):rep(1e6) .. ']')", "policy.lua") \
    X("a frontier of many", "('a'):rep(1e6):find('%f[' .. ('b'):rep(1e6) .. ']')", "policy.lua") \
    X("balance", "('('):rep(1e6):find('%b()')", "policy.lua") \
    X("captures again", "('a'):rep(1e6):find('(a*)%1%1b')", "policy.lua") \
    X("in pcall", "while true do pcall(string.find, ('a'):rep(2000), '.-.-.-b') end", "policy.lua")

// More memory than there is.
#define ATTACKS_MEMORY(X) \
    X("tables", "local t = {} while true do t[#t + 1] = {} end", "not enough memory") \
    X("one table", "local t = {} for i = 1, 1e9 do t[i] = i end", "not enough memory") \
    X("texts", "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e5) .. i end", "not enough memory") \
    X("a text doubled", "local s = 'x' while true do s = s .. s end", "not enough memory") \
    X("rep", "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e6 - i) end", "not enough memory") \
    X("concat", "local p, t = {}, {} for i = 1, 10 do p[i] = ('x'):rep(1e5) end " \
      "for i = 1, 1e9 do p[11] = i t[i] = table.concat(p) end", "not enough memory") \
    X("closures", "local t = {} for i = 1, 1e9 do t['k' .. i] = function() return t end end", "not enough memory") \
    X("gsub", "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000):gsub('x', ('y'):rep(1000)) .. i end", \
      "not enough memory") \
    X("coroutines", "local t = {} for i = 1, 1e9 do local c = coroutine.wrap(function(s) " \
      "local a, b = s .. 'a', s .. 'b' coroutine.yield() return a .. b end) c(('x'):rep(1e4) .. i) t[i] = c end", \
      "not enough memory")

// Deeper than there is stack.
#define ATTACKS_RECURSIONS(X) \
    X("a function", "local function g() return 1 + g() end g()", "stack overflow") \
    X("two functions", "local g, h g = function() return 1 + h() end h = function() return 1 + g() end g()", \
      "stack overflow") \
    X("__index", "local m = {} m.__index = function(t, k) return 1 + t[k] end local x = setmetatable({}, m).x", \
      "stack overflow") \
    X("__concat", "local m = {} m.__concat = function(a, b) return 1 + (a .. b) end " \
      "local x = setmetatable({}, m) .. 'x'", "stack overflow") \
    X("__tostring", "local m = {} m.__tostring = function(t) return tostring(t) .. 'x' end " \
      "tostring(setmetatable({}, m))", "stack overflow") \
    X("os.time", "local m = {} m.__index = function(t) return os.time(t) + 1 end os.time(setmetatable({}, m))", \
      "os.time: the table has a metatable") \
    X("__index under a room's function", "local m = {} m.__index = function(t) return room:oldest(t) end " \
      "room:oldest(setmetatable({}, m)) error('no effect')", "no effect") \
    X("__index under a message's function", "local m = {} m.__index = function(t) return message:to(t) end " \
      "message:to(setmetatable({}, m))", "names nobody") \
    X("__tostring under print", "local m = {} m.__tostring = function(t) print(t) return 'x' end " \
      "print(setmetatable({}, m)) error('no effect')", "no effect") \
    X("a sort in its comparator", "local function s() table.sort({ 1, 2 }, s) end s()", "more than 4 deep") \
    X("gsub in its callback", "local function g() ('a'):gsub('a', g) end g()", "more than 4 deep") \
    X("sorts in coroutines", "local function s() table.sort({ 1, 2 }, function() coroutine.wrap(s)() end) end s()", \
      "more than 100 coroutines within each other") \
    X("gsub in coroutines", "local function g() ('x'):gsub('x', function() coroutine.wrap(g)() end) end g()", \
      "more than 100 coroutines within each other") \
    X("gsub far above gsub", "local g local function deep(n) if n > 0 then return 1 + deep(n - 1) end return g() end " \
      "g = function() ('x'):gsub('x', function() deep(210) end) return 1 end g()", "stack overflow") \
    X("sort far above sort", "local g local function deep(n) if n > 0 then return 1 + deep(n - 1) end return g() end " \
      "g = function() table.sort({ 1, 2 }, function() deep(210) end) return 1 end g()", "stack overflow") \
    X("200,000 coroutines in each other", "local deep = 0 local function nest() deep = deep + 1 " \
      "if deep < 200000 then coroutine.wrap(nest)() end end nest()", \
      "more than 100 coroutines within each other") \
    X("200,000 by resume", "local deep = 0 local function nest() deep = deep + 1 if deep < 200000 then " \
      "local ok, said = coroutine.resume(coroutine.create(nest)) if not ok then error(said, 0) end end end nest()", \
      "more than 100 coroutines within each other") \
    X("20,000 coroutines side by side", "local t = {} for i = 1, 20000 do " \
      "t[i] = coroutine.create(function() end) end", "there are 10000 coroutines already") \
    X("values deep in each other", "local t = {} for i = 1, 1e4 do t = { t } end " \
      "local no = sig.deny('X', 'y', { deep = t }) return no", "deep") \
    X("too many values", "local t = {} for i = 1, 1e5 do t[i] = i end print(unpack(t))", "too many results")

// Known ways out of Lua sandboxes.
#define ATTACKS_WAYS(X) \
    X("the environment of the caller", "getfenv(0).x = 1", "'getfenv'") \
    X("another environment", "setfenv(1, {})", "'setfenv'") \
    X("the registry", "debug.getregistry()", "'debug'") \
    X("the hook that stops", "debug.sethook()", "'debug'") \
    X("upvalues of others", "debug.getupvalue(print, 1)", "'debug'") \
    X("bytecode out", "string.dump(function() end)", "string has no 'dump'") \
    X("bytecode out of a method", "local s = ('').dump", "string has no 'dump'") \
    X("bytecode in", "loadstring(('x'):rep(10))()", "'loadstring'") \
    X("code from text", "load('return 1')()", "'load'") \
    X("code from a file", "loadfile('/etc/passwd')", "'loadfile'") \
    X("running a file", "dofile('/etc/passwd')", "'dofile'") \
    X("files", "io.open('/etc/passwd')", "'io'") \
    X("programs", "os.execute('true')", "os has no 'execute'") \
    X("the environment of the process", "os.getenv('JWT_SECRET_KEY')", "os has no 'getenv'") \
    X("the end of the process", "os.exit(7)", "os has no 'exit'") \
    X("removing files", "os.remove('/tmp/x')", "os has no 'remove'") \
    X("renaming files", "os.rename('/tmp/x', '/tmp/y')", "os has no 'rename'") \
    X("temporary files", "os.tmpname()", "os has no 'tmpname'") \
    X("the locale", "os.setlocale('C')", "os has no 'setlocale'") \
    X("modules that are loaded", "local io = package.loaded.io", "'package'") \
    X("libraries of C", "package.loadlib('/lib/x86_64-linux-gnu/libc.so.6', 'system')", "'package'") \
    X("require in a hook", "require('ffi')", "only while files are loaded") \
    X("the compiler", "jit.on()", "'jit'") \
    X("memory", "ffi.C.system('true')", "'ffi'") \
    X("modules as globals", "module('x')", "'module'") \
    X("finalizers of userdata", "newproxy(true)", "'newproxy'") \
    X("finalizers of tables", "setmetatable({}, { __gc = function() print('x') end }) error('no effect')", \
      "no effect") \
    X("the collector", "collectgarbage('stop')", "'collectgarbage'") \
    X("the table of globals", "_G.x = 1", "'_G'") \
    X("a new global", "escaped = 1", "'escaped' would be a global variable") \
    X("a global exchanged", "pairs = nil", "globals are read-only") \
    X("a library exchanged", "string.upper = print", "string.upper: this table is read-only") \
    X("methods of texts", "getmetatable('').__index.upper = print", "string has no '__index'") \
    X("the metatable of texts", "getmetatable('').__index = {}", "attempt to index") \
    X("another metatable of texts", "setmetatable('', {})", "bad argument") \
    X("the metatable of a library", "setmetatable(string, {})", "protected metatable") \
    X("what the metatable of a library shows", "getmetatable(string).__index.x = 1", \
      "string has no '__index'") \
    X("the metatable of a room", "getmetatable(room).__index = nil", "attempt to index") \
    X("another metatable of a room", "setmetatable(room, {})", "bad argument") \
    X("rawset on a library", "rawset(string, 'upper', print)", "read-only") \
    X("rawset on sig", "rawset(sig, 'on', print)", "read-only") \
    X("rawset on a room", "rawset(room, 'id', 'x')", "bad argument") \
    X("rawget past a proxy", "assert(rawget(string, 'dump'))", "assertion failed") \
    X("rawequal past a proxy", "assert(rawequal(getmetatable(string), getmetatable(math)) == false)", \
      "assertion failed") \
    X("walking a proxy", "assert(next(string))", "assertion failed") \
    X("insert into a library", "table.insert(string, print)", "read-only") \
    X("sorting a library", "table.sort(string)", "read-only") \
    X("the random seed", "math.randomseed(1)", "math has no 'randomseed'") \
    X("the hook's own coroutine", "coroutine.resume(coroutine.running(), true)", "expected a coroutine") \
    X("leaving the hook", "coroutine.yield(1)", "only in a coroutine of the policy's own") \
    X("a handler without an end", "xpcall(error, function() while true do end end)", "there is one handler") \
    X("an error that is a table", "error(setmetatable({}, { __tostring = function() while true do end end }))", \
      "policy.lua") \
    X("an error of nothing", "error()", "policy.lua") \
    X("error levels beyond", "error('far', 2147483648)", "far") \
    X("error levels below", "error('low', -2147483648)", "low") \
    X("error levels that are none", "error('none', 0 / 0)", "none") \
    X("unpack of a huge range", "print(unpack({}, 1, 1e8))", "too many results") \
    X("unpack of all integers", "print(unpack({}, -2147483648, 2147483647))", "too many results") \
    X("select below", "select(-2147483648, 1)", "out of range") \
    X("a text of a gigabyte", "local s = ('x'):rep(1e9)", "string.rep: the result would have more") \
    X("a text of endless length", "local s = ('x'):rep(1 / 0)", "string.rep: the result would have more") \
    X("all bytes of a long text", "local x = ('x'):rep(1e6):byte(1, -1)", "string slice too long") \
    X("a byte that is none", "string.char(256)", "bad argument") \
    X("printing into memory", "('%n'):format(1)", "invalid option") \
    X("widths without end", "('%1000000d'):format(1)", "invalid") \
    X("a format without values", "('%s%s'):format('x')", "bad argument") \
    X("a base that is none", "tonumber('1', 1e9)", "base out of range") \
    X("a date that is none", "assert(os.date('*t', 1e300))", "policy.lua") \
    X("a date of endless length", "os.date(('%c'):rep(1e5))", "the format has at most") \
    X("concat of a huge range", "table.concat({}, '', 1, 1e9)", "more than") \
    X("concat around all integers", "table.concat({}, '', -9e15, 9e15)", "more than") \
    X("insert at a huge place", "table.insert({}, 2147483647, 1)", "outside of") \
    X("a table that says it is long", "table.sort(setmetatable({}, { __len = function() return 1e9 end })) " \
      "error('it is empty')", "it is empty") \
    X("a metatable in a ring", "local t = {} setmetatable(t, { __index = t }) local x = t.x", "loop in gettable") \
    X("a room that is none", "room.send({}, 'talk', {})", "policy.lua") \
    X("a method of another handle", "member.set_role(room, 'host')", "policy.lua")

// clang-format on
