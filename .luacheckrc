-- What a policy can reach (src/script/sandbox.c): anything else is a mistake that the server would refuse.
stds.lunasig = {
  read_globals = {
    "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawset", "require",
    "select", "setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall",
    bit = { fields = { "arshift", "band", "bnot", "bor", "bswap", "bxor", "lshift", "rol", "ror", "rshift", "tobit", "tohex" } },
    coroutine = { fields = { "create", "isyieldable", "resume", "running", "status", "wrap", "yield" } },
    math = {
      fields = {
        "abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "cosh", "deg", "exp", "floor", "fmod", "frexp", "huge", "ldexp", "log",
        "log10", "max", "min", "modf", "pi", "pow", "rad", "random", "sin", "sinh", "sqrt", "tan", "tanh",
      },
    },
    os = { fields = { "clock", "date", "time" } },
    string = { fields = { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper" } },
    table = { fields = { "concat", "insert", "remove", "sort" } },
  },
}

std = "lunasig"
max_line_length = 140
files["lua/lunasig/_meta"] = { ignore = { "211", "212", "241", "631" } } -- stubs for editors: empty functions
files["lua/lunasig/_meta/lua.lua"] = { ignore = { "121", "122" } } -- stubs of what Lua has itself
