-- `keep`: what those who come later find in their room-state.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }
sig.type "topic" { keep = "latest" }
sig.type "status" { keep = "latest per user" }
sig.type "note" { keep = "log 3" }
sig.type "word" {}

local function kept(t, name)
  return t:client(name):joins("r1").payload.kept
end

sig.test("latest: the last one of all", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("topic", { text = "one" })
  bob:sends("topic", { text = "two" })
  local list = kept(t, "eve")
  assert(#list == 1 and list[1].type == "topic" and list[1].payload.text == "two" and list[1].sender_id == "bob")
end)

sig.test("latest per user: the last one of each, until he leaves", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("status", { text = "busy" })
  bob:sends("status", { text = "here" })
  ann:sends("status", { text = "free" })
  local list = kept(t, "eve")
  assert(#list == 2 and list[1].payload.text == "here" and list[2].payload.text == "free")
  bob:leaves()
  list = kept(t, "max")
  assert(#list == 1 and list[1].sender_id == "ann")
end)

sig.test("log: the last few, oldest first", function(t)
  local ann = scene.call(t, "ann")
  for i = 1, 5 do
    ann:sends("note", { n = i })
  end
  local list = kept(t, "eve")
  assert(#list == 3 and list[1].payload.n == 3 and list[3].payload.n == 5)
end)

sig.test("nothing is kept of other types, and what is kept ends with the room", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("word", {})
  assert(kept(t, "bob") == nil)
  ann:sends("topic", { text = "one" })
  assert(#kept(t, "eve") == 1)
end)

sig.test("who was away has missed it, and is not told twice", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  bob:drops()
  ann:sends("topic", { text = "one" })
  bob:resumes()
  bob:receives("topic", { text = "one" })
  bob:receives_nothing "topic"
end)
