-- Public keys over HTTP: for the members of a room, and one's own to change.
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

sig.test("a published key is there for the members of the room", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local answer = ann:requests("POST " .. path .. "publish", key)
  assert(answer.status == 200 and answer.body.success and answer.body.key_id == "k1" and answer.body.user_id == "ann")
  ann:requests("POST " .. path .. "publish", with("public_key", "newer"))
  assert(ann:requests("POST " .. path .. "publish", with("timestamp", "2026-01-05T12:00:00Z")).status == 200) -- more than is needed
  ann:requests("POST " .. path .. "publish", with("public_key", "newer"))
  answer = bob:requests("GET " .. path .. "ann")
  assert(answer.status == 200 and answer.body.count == 1 and answer.body.user_id == "ann")
  local found = answer.body.keys[1]
  assert(found.public_key == "newer" and found.key_type == "identity_key" and found.signature == "sig" and found.user_id == "ann")
  assert(bob:requests("GET " .. path .. "bob").status == 404)
end)

sig.test("others see none, and write none", function(t)
  local ann = scene.call(t, "ann", "bob")
  ann:requests("POST " .. path .. "publish", key)
  local rows = { "POST " .. path .. "publish", "GET " .. path .. "ann", "DELETE " .. path .. "k1" }
  for i, row in ipairs(rows) do
    assert(t:client("eve"):requests(row, i == 1 and key or nil).status == 403)
    assert(t:request(row, i == 1 and key or nil).status == 401)
  end
end)

sig.test("one takes back one's own", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:requests("POST " .. path .. "publish", key)
  assert(bob:requests("DELETE " .. path .. "k1").status == 404)
  local answer = ann:requests("DELETE " .. path .. "k1")
  assert(answer.status == 200 and answer.body.success)
  assert(bob:requests("GET " .. path .. "ann").status == 404)
  assert(ann:requests("DELETE " .. path .. "k1").status == 404)
end)
