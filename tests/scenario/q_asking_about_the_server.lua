-- sig.stats, sig.components and sig.rate in hooks, request:is_null, and times in days.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }
sig.type "say" { rate = "1/s burst 3 per user" }

sig.on("join", function()
  if sig.stats().members >= 2 then return sig.deny("SERVER_FULL", "this server is small") end
end)

sig.on("connect", function() -- may not wait, and these do not
  assert(sig.components().redis == "embedded" and sig.rate("ann", "say").burst == 3)
end)

sig.on("message:say", function(room, member)
  member:send("told", { left = sig.rate(member.id, "say").remaining, top = sig.stats().top_rooms, here = room.count })
end)
sig.type "told" { from = "server" }

local early, problem = pcall(sig.stats)

local note = sig.store "notes"
sig.route("POST /webrtc/notes", {}, function(request)
  note:put("one", { kept = true }, { ttl = "2d" })
  return 200, { null = request:is_null "a", missing = request:is_null "b", value = request.body and request.body.a == nil }
end)
sig.route("GET /webrtc/notes", {}, function()
  return 200, { kept = note:get "one" ~= nil }
end)

sig.test("a hook decides by how full the server is", function(t)
  scene.call(t, "ann", "bob")
  local cid = t:client "cid"
  cid:joins "r2"
  cid:is_refused "SERVER_FULL"
end)

sig.test("a hook sees names of rooms, and what its own message has left", function(t)
  local ann = scene.call(t, "ann", "bob")
  ann:sends("say", {})
  ann:receives("told", { left = 2, here = 2, top = { { room_id = "r1", members = 2 } } })
end)

sig.test("while files are loaded there is no server", function()
  assert(not early and problem:find("sig.stats is for hooks and routes", 1, true), problem)
end)

sig.test("a null in a body looks as if it were missing, and is_null tells", function(t)
  local ann = t:client "ann"
  local answer = ann:requests("POST /webrtc/notes", { a = sig.null }).body
  assert(answer.null and not answer.missing and answer.value)
  answer = ann:requests("POST /webrtc/notes", { a = 1, c = { b = sig.null } }).body
  assert(not answer.null and not answer.missing and not answer.value)
  assert(not ann:requests("POST /webrtc/notes").body.null)
end)

sig.test("2d are two days", function(t)
  local ann = t:client { user = "ann", expires = "5d" }
  ann:requests("POST /webrtc/notes", {})
  t:advance "47h"
  assert(ann:requests("GET /webrtc/notes").body.kept)
  t:advance "61min"
  assert(not ann:requests("GET /webrtc/notes").body.kept)
end)
