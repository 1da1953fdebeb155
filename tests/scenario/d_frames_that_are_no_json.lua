-- What is no JSON, or not within the limits, is refused and the connection stays: INVALID_JSON.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local function envelope(payload)
  return '{"type":"chat-message","payload":' .. payload .. "}"
end

local function is_no_json(t, ...)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, frame in ipairs { ... } do
    ann:sends_raw(frame)
    local refusal = ann:is_refused "INVALID_JSON"
    assert(type(refusal.payload.message) == "string")
  end
  ann:sends("chat-message", { content = "still here" })
  bob:receives("chat-message", { content = "still here" })
end

sig.test("no text of JSON", function(t)
  is_no_json(t, "", "hello", "{", '{"type":"chat-message"', "{'type':1}", envelope "{},", '{"type":NaN}')
end)

sig.test("texts that no one can write: NUL, half of a pair of surrogates", function(t)
  is_no_json(t, envelope [[{"content":"\u0000"}]], envelope [[{"content":"\ud800"}]])
end)

sig.test("the same key twice", function(t)
  is_no_json(t, envelope '{"content":"a","content":"b"}', '{"type":"a","type":"b","payload":{}}')
end)

sig.test("deeper than 32 levels", function(t)
  is_no_json(t, envelope('{"content":' .. ("["):rep(31) .. ("]"):rep(31) .. "}"))
end)

sig.test("more than 1,024 values", function(t)
  is_no_json(t, envelope('{"content":[' .. ("1,"):rep(1024) .. "1]}"))
end)
