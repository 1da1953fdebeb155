-- sig.mongo: whole collections, by filters. In a test they are in memory; tests/unit/query_rules.c holds both to the same rules.
local sig = require "lunasig"
sig.use { "std.presence" }

local op, alone = sig.mongo.op, { virtual = true } -- alone: a server that runs may have no MongoDB
local users, bans = sig.mongo.users, sig.mongo "bans"

-- What a policy does with it: who is banned does not come in, and visits are counted.
sig.on("join", function(_, member)
  local ban, code, why = bans:find_one({ user = member.id, ends = op.gt(sig.mongo.date(sig.now() * 1000)) }, { sort = "-ends" })
  if code then return sig.deny("TRY_LATER", why) end
  if ban then return sig.deny("BANNED", ban.reason) end
  users:update({ username = member.id }, { visits = op.inc(1), invited = op.unset() })
end)

local function ban(user, seconds)
  return bans:insert { user = user, reason = "spam", ends = sig.mongo.date((sig.now() + seconds) * 1000) }
end

sig.test("who is banned stays out for that time", alone, function(t)
  ban("eve", 60)
  local eve = t:client "eve"
  eve:joins "r1"
  eve:is_refused("BANNED", "spam")
  t:advance "61s"
  eve = t:client { user = "eve" }
  eve:joins "r1"
end)

sig.test("each visit is counted, and only there", alone, function(t)
  users:insert { username = "ann", invited = true }
  users:insert { username = "bob", invited = true }
  t:client("ann"):joins "r1"
  t:client("ann"):joins "r2"
  local ann = users:find_one { username = "ann" }
  assert(ann.visits == 2 and ann.invited == nil and #ann._id == 24)
  assert(users:count { invited = op.exists(true) } == 1)
end)

sig.test("a database that is away answers nil, a code and a text", alone, function(t)
  t:store "down"
  local eve = t:client "eve"
  eve:joins "r1"
  eve:is_refused "TRY_LATER"
  local found, code, why = users:find {}
  assert(found == nil and code == "UNAVAILABLE" and why:find("^sig.mongo:find: "))
  t:store "up"
  assert(#users:find {} == 0)
end)

sig.test("documents are found, changed, made and deleted", alone, function()
  local notes = sig.mongo.notes
  for i = 1, 5 do
    assert(notes:insert { _id = i, n = i, tags = { "all", "n" .. i }, at = sig.mongo.date(i * 1000) } == true)
  end
  assert(#notes:find { n = op { gte = 2, lt = 5 } } == 3 and notes:count { n = op("$in", { 1, 2, 9 }) } == 2)
  local last = notes:find({ tags = "all" }, { sort = { "-n" }, limit = 2, projection = { at = true } })
  assert(#last == 2 and last[1]._id == 5 and last[1].at == 5000 and last[1].n == nil)
  assert(notes:count { at = op.lte(sig.mongo.date(2000)) } == 2 and notes:count { n = op.none_of { 1, 2 } } == 3)
  assert(notes:update({ n = op.gt(3) }, { ["more.seen"] = true }, { many = true }) == 2 and notes:update({ n = 99 }, { n = 1 }) == 0)
  assert(notes:count { ["more.seen"] = true } == 2)
  assert(notes:upsert({ _id = "x" }, { n = op.inc(2) }) and not notes:upsert({ _id = "x" }, { n = op.inc(2) }))
  assert(notes:find_one({ _id = "x" }).n == 4)
  assert(notes:delete { n = op.lt(4) } == 1 and notes:delete({ n = op.lt(4) }, { many = true }) == 2 and notes:count {} == 3)
  local id = sig.mongo.people:insert { name = "ann" }
  assert(sig.mongo.people:find_one({ _id = sig.mongo.id(id) }).name == "ann" and sig.mongo.people:count { _id = id } == 0)
end)

sig.test("what is there already is a DUPLICATE, a change without sense is REFUSED", alone, function()
  sig.mongo.notes:insert { _id = "a", text = "x" }
  local made, code = sig.mongo.notes:insert { _id = "a" }
  assert(made == nil and code == "DUPLICATE")
  made, code = sig.mongo.notes:update({}, { text = op.inc(1) })
  assert(made == nil and code == "REFUSED")
end)

local function says(wanted, ...)
  local fine, problem = pcall(...)
  if fine or not problem:find(wanted, 1, true) then error(("%q is not said: %s"):format(wanted, tostring(problem)), 2) end
end

sig.test("operators come from sig.mongo.op alone, and none of them runs code", alone, function()
  says("operators are made with op", users.find, users, { age = 1, ["$where"] = "true" })
  says("a filter compares with a table", users.find, users, { age = { ["$gt"] = 5 } })
  says("operators are made with op", users.insert, users, { a = { ["$set"] = 5 } })
  says("operators are made with op", users.update, users, {}, { ["$set"] = { a = 1 } })
  says("operators are made with op", users.update, users, {}, { ["a.$x"] = 1 })
  says("has a dot in its name", users.insert, users, { ["a.b"] = 5 })
  says("makes the database run code", op, "$where", "true")
  says("makes the database run code", function() return op { expr = 1 } end)
  says("there is no operator 'gtt'; did you mean 'gt'?", function() return op.gtt(5) end)
  says("an operator stands where a value has to", users.insert, users, { a = op.gt(5) })
  says("there is no option 'limitt'; did you mean 'limit'?", users.find, users, {}, { limitt = 5 })
  says("limit is a whole number from 1 to 1000", users.find, users, {}, { limit = 1001 })
  says("a filter is a table", users.delete, users)
  says("a change names at least one field", users.update, users, {}, {})
end)

sig.test("credentials and the server's own collections are out of reach", alone, function()
  for _, path in ipairs { "hashed_password", "a.hashed_password", "password.x", "refresh_token" } do
    says("credentials are not for policies", users.find, users, { [path] = op.exists(true) })
    says("credentials are not for policies", users.find, users, {}, { projection = { [path] = 1 } })
    says("credentials are not for policies", users.find, users, {}, { sort = "-" .. path })
    says("credentials are not for policies", users.update, users, {}, { [path] = "x" })
  end
  says("credentials are not for policies", users.insert, users, { a = { { hashed_password = "x" } } })
  says("is not for policies", function() return sig.mongo.lunasig_logins end)
  says("is not for policies", sig.mongo, "system.users")
end)
