-- Offers and answers: to their target alone, or to everybody; the server says who sent them.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.signaling", "std.presence" }

local function offer(target)
  return { type = "offer", target = target, payload = { sdp = scene.sdp, type = "offer" } }
end

sig.test("an offer reaches its target alone, and the answer comes back", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  ann:sends(offer "bob")
  local heard = bob:receives { type = "offer", sender_id = "ann", room_id = "r1", payload = t.exactly { sdp = scene.sdp, type = "offer" } }
  bob:sends { type = "answer", target = heard.sender_peer_id, payload = { sdp = scene.sdp, type = "answer" } }
  ann:receives { type = "answer", sender_id = "bob" }
  eve:receives_nothing "offer"
  eve:receives_nothing "answer"
end)

sig.test("without a target everybody else hears it", function(t)
  local ann, bob, eve = scene.call(t, "ann", "bob", "eve")
  ann:sends(offer())
  bob:receives "offer"
  eve:receives "offer"
  ann:receives_nothing "offer"
end)

sig.test("who claims to be somebody else is not believed", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends_raw '{"type":"offer","payload":{"sdp":"","type":"rollback"},"sender_id":"eve","room_id":"r9"}'
  bob:receives { type = "offer", sender_id = "ann", room_id = "r1" }
end)

sig.test("a session description is checked line by line", function(t)
  for _, type in ipairs { "offer", "answer" } do
    scene.checks_payload(t, type, { sdp = scene.sdp, type = type }, { sdp = "", type = "rollback" }, {
      { "sdp" },
      { "sdp", "hello" },
      { "sdp", { type = "offer", sdp = scene.sdp } },
      { "type" },
      { "type", ("x"):rep(33) },
      { "extra", true, "payload" },
    })
  end
end)

sig.test("what is wrong with a description is said: the line, and what belongs there", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("offer", { sdp = "v=0\r\no=-\r\n", type = "offer" })
  local refusal = ann:is_refused("INVALID_MESSAGE").payload
  assert(refusal.details.line == 2 and refusal.message:find "o=USER ID VERSION")
end)
