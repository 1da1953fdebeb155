-- sig.store finds and changes documents by what they have in them, as sig.mongo does; their keys are their _id.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }
local notes, op = sig.store.notes, sig.store.op

-- Runs in a hook, which may wait.
local steps = {}
sig.type "run" { to = "server", payload = sig.object { step = sig.string } }
sig.on("message:run", function(_, _, message)
  steps[message.payload.step]()
end)

local function test(name, step)
  steps[name] = function()
    for _, note in ipairs(notes:list()) do
      notes:remove(note.key) -- of the test before: a real server keeps them
    end
    step()
  end
  sig.test(name, function(t)
    local ann = scene.call(t, "ann")
    ann:sends("run", { step = name })
    ann:sends("run", { step = "nothing" }) -- comes when the other is done
    ann:receives_nothing("error", nil, { within = "1s" })
  end)
end
steps.nothing = function() end

local function ids(filter, options)
  local found = {}
  for i, note in ipairs(assert(notes:find(filter, options))) do
    found[i] = note._id
  end
  return table.concat(found, " ")
end

local function fill()
  notes:put("r1/1", { by = "ann", stars = 3, tags = { "new", "red" } })
  notes:put("r1/2", { by = "bob", stars = 1 })
  notes:put("r2/1", { by = "ann", stars = 2, place = { city = "Bern" } })
  notes:put("list", { 1, 2, 3 }) -- a list is not among them
end

test("by their fields, in the order of their keys or another", function()
  fill()
  assert(ids { by = "ann" } == "r1/1 r2/1" and ids { by = "max" } == "" and ids {} == "r1/1 r1/2 r2/1")
  assert(ids { stars = op.gt(1) } == "r1/1 r2/1" and ids { tags = "red" } == "r1/1" and ids { ["place.city"] = "Bern" } == "r2/1")
  assert(ids({}, { sort = "-stars" }) == "r1/1 r2/1 r1/2" and ids({}, { limit = 2 }) == "r1/1 r1/2")
  assert(ids { _id = "r1/2" } == "r1/2" and ids { _id = op.prefix "r1/" } == "r1/1 r1/2" and ids { _id = op.gte "r1/2" } == "r1/2 r2/1")
  local note = notes:find_one({ by = "ann" }, { sort = "stars", projection = { stars = 1 } })
  assert(note._id == "r2/1" and note.stars == 2 and note.by == nil)
  assert(notes:find_one { by = "max" } == nil and notes:count { by = "ann" } == 2 and notes:count "r1/1" == 0)
end)

test("inserted under a key of their own, or one that is free", function()
  local key = notes:insert { by = "eve" }
  assert(#key == 32 and notes:get(key).by == "eve")
  assert(notes:insert { _id = "mine", by = "max" } == true and notes:get("mine").by == "max" and notes:get("mine")._id == nil)
  local id, code, why = notes:insert { _id = "mine", by = "bob" }
  assert(id == nil and code == "DUPLICATE" and why:find "^sig.store:insert: there is a document" and notes:get("mine").by == "max")
  assert(select(2, notes:insert { _id = 5 }) == "REFUSED")
end)

test("updated by what is added, set and taken away", function()
  fill()
  assert(notes:update({ by = "ann" }, { stars = op.inc(5) }) == 1)
  assert(notes:get("r1/1").stars == 8 and notes:get("r2/1").stars == 2)
  assert(notes:update({ by = "ann" }, { ["place.country"] = "CH", tags = op.unset() }, { many = true }) == 2)
  local note = notes:get "r2/1"
  assert(note.place.city == "Bern" and note.place.country == "CH" and notes:get("r1/1").tags == nil)
  assert(notes:update({ by = "max" }, { stars = 1 }) == 0)
  assert(select(2, notes:update({ by = "ann" }, { by = op.inc(1) })) == "REFUSED")
end)

test("made by an upsert where there is none", function()
  assert(notes:upsert({ _id = "visits/ann" }, { count = op.inc(1) }) == true)
  assert(notes:upsert({ _id = "visits/ann" }, { count = op.inc(1) }) == false and notes:get("visits/ann").count == 2)
  assert(notes:upsert({ by = "eve", stars = op.gt(3) }, { text = "hi" }) == true)
  local note = notes:find_one { by = "eve" }
  assert(note.text == "hi" and #note._id == 32 and note.stars == nil)
end)

test("deleted", function()
  fill()
  assert(notes:delete { by = "ann" } == 1 and notes:count {} == 2)
  assert(notes:delete({}, { many = true }) == 2 and notes:count {} == 0 and #notes:list() == 1)
end)

test("gone when their time is over, which an update does not change", function()
  notes:insert({ _id = "soon" }, { ttl = "200ms" })
  notes:upsert({ _id = "too" }, { n = 1 }, { ttl = "200ms" })
  notes:update({ _id = "soon" }, { n = 1 })
  sig.sleep "100ms"
  assert(notes:count {} == 2)
  sig.sleep "150ms"
  assert(notes:count {} == 0)
end)

test("with whatever names their fields have, but those of operators", function()
  assert(notes:insert { _id = "p", password = "of the room", ["a.b"] = 1 })
  assert(notes:find_one({ password = "of the room" }).password == "of the room")
  local function says(text, ...)
    local fine, problem = pcall(...)
    assert(not fine and problem:find(text, 1, true), problem)
  end
  says("operators are made with op", notes.find, notes, { ["$where"] = "1" })
  says("a filter compares with a table", notes.find, notes, { by = { ["$gt"] = "" } })
  says("operators are made with op", notes.update, notes, {}, { a = { ["$set"] = 5 } })
  says("operators are made with op", notes.insert, notes, { ["$set"] = 5 })
  says("sig.store has no ids and dates of MongoDB", notes.insert, notes, { at = sig.mongo.date(0) })
  says("there is no option 'ttl'", notes.find, notes, {}, { ttl = 5 })
  says("ttl is a time like", notes.insert, notes, {}, { ttl = "soon" })
  says("op.prefix: write the text", op.prefix, 5)
  says("it is a method of a collection: local notes = sig.store.notes notes:find(…)", notes.find, {})
end)

sig.test("a database that is away is a code, not an error", function(t)
  steps.away = function()
    local found, code, why = notes:find {}
    assert(found == nil and code == "UNAVAILABLE" and why:find "^sig.store:find: ")
    assert(select(2, notes:insert {}) == "UNAVAILABLE")
  end
  local ann = scene.call(t, "ann")
  t:store "down"
  ann:sends("run", { step = "away" })
  ann:receives_nothing("error", nil, { within = "1s" })
end)
