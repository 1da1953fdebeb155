-- `rate`: how often a type may come per address and per room; several at once hold together.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }
sig.type "per-ip" { rate = "1/h burst 2 per ip" }
sig.type "per-room" { rate = "1/s burst 2 per room" }
sig.type "both" { rate = { "1/s burst 3 per user", "1/s burst 4 per room" } }

local function refused(client, type)
  client:sends(type, {})
  local details = client:is_refused("RATE_LIMIT_EXCEEDED").payload.details
  assert(details.rule:find("^" .. type:gsub("%-", "%%-")), details.rule)
  return details
end

local function twice(first, second, type)
  first:sends(type, {})
  second:sends(type, {})
end

sig.test("per address: all who come from there", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local eve = t:client { user = "eve", address = "198.51.100.7" }
  eve:joins "r1"
  twice(ann, bob, "per-ip")
  assert(refused(bob, "per-ip").period == 3600)
  twice(eve, eve, "per-ip")
  eve:receives_nothing "error"
end)

sig.test("per room: all who are in it", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local eve = t:client "eve"
  eve:joins "r2"
  twice(ann, bob, "per-room")
  refused(ann, "per-room")
  twice(eve, eve, "per-room")
  eve:receives_nothing "error"
  t:advance "1s"
  bob:sends("per-room", {})
  bob:receives_nothing "error"
end)

sig.test("of several rates each holds", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  twice(ann, ann, "both")
  ann:sends("both", {})
  assert(refused(ann, "both").rule == "both per user")
  bob:sends("both", {})
  assert(refused(bob, "both").rule == "both per room")
end)
