-- `rate`: how often a type may come per connection and per user.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }
sig.type "per-connection" { rate = "1/s burst 2 per connection" }
sig.type "per-user" { rate = "1/min burst 2 per user" }

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

sig.test("per connection: another connection of the user has its own", function(t)
  local ann = scene.call(t, "ann")
  local second = t:client "ann"
  second:joins "r1"
  twice(ann, ann, "per-connection")
  assert(refused(ann, "per-connection").retry_after == 1)
  second:sends("per-connection", {})
  second:receives_nothing "error"
end)

sig.test("per user: all his connections in all rooms together, also after leaving", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local second = t:client "ann"
  second:joins "r2"
  twice(ann, second, "per-user")
  refused(second, "per-user")
  ann:leaves()
  ann:joins "r1"
  assert(refused(ann, "per-user").period == 60)
  bob:sends("per-user", {})
  bob:receives_nothing "error"
end)
