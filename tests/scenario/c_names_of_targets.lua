-- A target has many names: target_id, target and to beside the payload; five more in it. The first that is not null counts.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local function says(client, outside, inside)
  client:sends_raw(('{"type":"chat-message",%s"payload":{%s"content":"psst"}}'):format(outside, inside))
end

sig.test("each name of a target in the payload is one", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  for _, name in ipairs { "target_user_id", "target_id", "targetUserId", "receiver_id", "recipient_user_id" } do
    says(ann, "", ('"%s":"bob",'):format(name))
    bob:receives("chat-message", { [name] = "bob" })
  end
  eve:receives_nothing "chat-message"
end)

sig.test("each name of a target beside the payload is one", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  for _, name in ipairs { "target_id", "target", "to" } do
    says(ann, ('"%s":"bob",'):format(name), "")
    bob:receives "chat-message"
  end
  eve:receives_nothing "chat-message"
end)

sig.test("beside the payload counts before in it, and null does not count", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  says(ann, '"target_id":"bob",', '"target_user_id":"eve",')
  bob:receives "chat-message"
  says(ann, '"target_id":null,"target":"eve",', "")
  eve:receives "chat-message"
  bob:receives_nothing "chat-message"
end)

sig.test("a target that is no text is refused", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  says(ann, '"target_id":5,', "")
  says(ann, "", '"target_user_id":["bob"],')
  assert(ann:is_refused("INVALID_MESSAGE").payload.details.field == "target_id")
  assert(ann:is_refused("INVALID_MESSAGE").payload.details.field == "payload.target_user_id")
  bob:receives_nothing "chat-message"
end)
