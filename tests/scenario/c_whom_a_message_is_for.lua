-- message.receiver: the member whose user id or peer_id the target is.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.signaling", "std.presence", "std.chat" }

sig.on("message:chat-message", function(_, _, message)
  local receiver = message.receiver
  return sig.deny("FOR", receiver and receiver.id or "nobody")
end)

local function says_it_is_for(client, target, whom)
  client:sends { type = "chat-message", target = target, payload = { content = "hello" } }
  local refusal = client:is_refused "FOR"
  if refusal.payload.message ~= whom then error(("for %s, not %s"):format(refusal.payload.message, whom)) end
end

sig.test("a user, or one of his connections", function(t)
  local ann = t:client "ann"
  ann:joins "r1"
  local peer = scene.peer(t:client("bob"):joins "r1")
  says_it_is_for(ann, "bob", "bob")
  says_it_is_for(ann, peer, "bob")
  says_it_is_for(ann, nil, "nobody")
end)

sig.test("compat clients know no connections", function(t)
  local ann = t:client { user = "ann", dialect = "compat" }
  ann:joins "r1"
  local peer = scene.peer(t:client("bob"):joins "r1")
  says_it_is_for(ann, "bob", "bob")
  says_it_is_for(ann, peer, "nobody")
end)
