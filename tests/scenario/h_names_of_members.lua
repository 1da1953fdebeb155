-- A join hook may call somebody otherwise than his token does; what it says is taken back when it fails.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }
sig.type "rename" { to = "server", payload = sig.object { name = sig.string } }

sig.on("join", function(_, member)
  local name = member.claims.called
  if name then member.username = name end
end)
sig.on("join", { on_error = "allow" }, function(_, member)
  if member.claims.called == "Twice" then member.username = "Once more" end
  if member.claims.called == "Broken" then
    member.username = "Not this"
    error "broken"
  end
end)
sig.on("message:rename", function(_, member, message)
  member.username = message.payload.name
end)

local function joins(t, called)
  return t:client({ user = "eve", claims = { called = called } }):joins("r1").payload.participants[1].username
end

sig.test("in a join hook, for everybody", function(t)
  assert(joins(t, "Eve") == "Eve")
  assert(t:client("max"):joins("r1").payload.participants[1].username == "Eve")
end)

sig.test("of several hooks the last one says it", function(t)
  assert(joins(t, "Twice") == "Once more")
end)

sig.test("a hook that fails has not said it", function(t)
  t:expects_error "broken"
  assert(joins(t, "Broken") == "Broken")
end)

sig.test("a name has its bounds", function(t)
  for _, name in ipairs { "", ("n"):rep(513), "two\nlines" } do
    t:expects_error "member.username: 1 to 512 bytes of UTF%-8 without control characters"
    local eve = t:client { user = "eve", claims = { called = name } }
    eve:joins "r1"
    eve:is_refused "POLICY_ERROR"
  end
end)

sig.test("others know somebody by the name that he came with", function(t)
  t:expects_error "member.username can be set in a join hook only"
  local ann = scene.call(t, "ann")
  ann:sends("rename", { name = "Bob" })
  ann:is_refused "POLICY_ERROR"
  assert(t:room("r1").members[1].username == "ann")
end)
