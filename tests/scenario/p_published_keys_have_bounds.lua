-- Keys have bounds, and a private one is refused.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.e2ee" }

local path = "/webrtc/rooms/r1/e2ee/keys/"
local key = { key_id = "k1", key_type = "identity_key", public_key = "MCowBQYDK2VwAyEA", signature = "sig" }

local function with(name, value)
  local copy = {}
  for field, old in pairs(key) do
    copy[field] = old
  end
  copy[name] = value
  return copy
end

sig.test("a private key is refused, over HTTP and in a message", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, secret in ipairs { "-----BEGIN EC PRIVATE KEY-----\nMHc", '{"kty":"OKP","x":"11qY","d": "nWGx"}' } do
    local answer = ann:requests("POST " .. path .. "publish", with("public_key", secret))
    assert(answer.status == 422 and not sig.json.encode(answer.body):find("nWGx", 1, true))
    local exchange = { recipient_user_id = "bob", key_type = "identity_key", public_key = secret, key_id = "k1" }
    ann:sends("e2ee-key-exchange", exchange)
    assert(ann:is_refused("INVALID_MESSAGE").payload.details.field == "payload.public_key")
  end
  assert(ann:requests("POST " .. path .. "publish", with("private_key", "x")).status == 422)
  bob:receives_nothing()
end)

sig.test("keys have bounds", function(t)
  local ann = scene.call(t, "ann")
  for name, wrong in pairs { key_type = "skeleton", public_key = "", key_id = ("k"):rep(65), signature = 5 } do
    assert(ann:requests("POST " .. path .. "publish", with(name, wrong)).status == 422)
  end
  assert(ann:requests("POST " .. path .. "publish", with("public_key", ("k"):rep(8193))).status == 422)
  for i = 1, 60 do
    local big = with("key_id", "k" .. i)
    big.public_key = ("k"):rep(8192)
    assert(ann:requests("POST " .. path .. "publish", big).status == 200)
  end
  assert(ann:requests("POST " .. path .. "publish", with("key_id", "k61")).status == 409)
  assert(ann:requests("POST " .. path .. "publish", with("key_id", "k60")).status == 200)
  assert(ann:requests("GET " .. path .. "ann").body.count == 60)
end)
