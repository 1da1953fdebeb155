-- sig.route: HTTP beside the rooms, with their tokens, checks and errors.
local sig = require "lunasig"
local scene = require "scene"
sig.policy { name = "polls", api = 1 }
sig.use { "std.presence", "std.roles" }
sig.room_state { votes = sig.map { max = 100, value = sig.integer } }
sig.type "poll" { from = "server" }

local vote = { body = sig.object { choice = sig.string { max = 20 } }, rate = "1/s burst 2 per user" }
sig.route("POST /webrtc/rooms/:room/votes", vote, function(request, room)
  if not room:member(request.user) then return sig.deny("NOT_HERE", "come in first") end
  local count = room.state.votes:incr(request.body.choice)
  room:send("poll", room.state.votes:copy())
  return 201, { count = count }
end)
sig.route("DELETE /webrtc/rooms/:room/votes", { roles = { "host", "moderator" } }, function(_, room)
  room.state.votes:clear()
end)
sig.route("GET /webrtc/hello/:name", { auth = "open", query = { times = sig.integer { optional = true } } }, function(request)
  return 200, ("hello %s "):format(request.params.name):rep(request.query.times or 1), { ["cache-control"] = "max-age=60" }
end)
sig.route("GET /webrtc/broken", { auth = "open" }, function() error "boom" end)

sig.test("a member votes over HTTP, and the room hears of it", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  local answer = bob:requests("POST /webrtc/rooms/r1/votes", { choice = "tea" })
  assert(answer.status == 201 and answer.body.count == 1)
  ann:receives("poll", { tea = 1 })
end)

sig.test("whom the policy refuses gets 403 with its code; who has no token 401", function(t)
  scene.call(t, "ann")
  local answer = t:client("eve"):requests("POST /webrtc/rooms/r1/votes", { choice = "tea" })
  assert(answer.status == 403 and answer.body.code == "NOT_HERE" and answer.body.detail == "come in first")
  answer = t:request("POST /webrtc/rooms/r1/votes", { choice = "tea" })
  assert(answer.status == 401 and answer.headers["www-authenticate"] == "Bearer")
end)

sig.test("only those with the role may", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  assert(bob:requests("DELETE /webrtc/rooms/r1/votes").status == 403)
  assert(ann:requests("DELETE /webrtc/rooms/r1/votes").status == 204)
end)

sig.test("body, query and rate are checked", function(t)
  local ann = scene.call(t, "ann")
  assert(ann:requests("POST /webrtc/rooms/r1/votes", { choice = 5 }).status == 422)
  assert(t:request("/webrtc/hello/bob?times=x").status == 422)
  assert(ann:requests("POST /webrtc/rooms/r1/votes", { choice = "tea" }).status == 201)
  assert(ann:requests("POST /webrtc/rooms/r1/votes", { choice = "tea" }).status == 429)
end)

sig.test("open routes need no token; what is not there is 404, another method 405, a failed one 500", function(t)
  local answer = t:request "/webrtc/hello/b%C3%B6b?times=2"
  assert(answer.status == 200 and answer.body == "hello böb hello böb " and answer.headers["cache-control"] == "max-age=60")
  assert(t:request("/webrtc/nothing").status == 404)
  assert(t:request("PUT /webrtc/hello/bob").status == 405)
  t:expects_error "boom"
  answer = t:request "/webrtc/broken"
  assert(answer.status == 500 and answer.body.code == "POLICY_ERROR")
end)
