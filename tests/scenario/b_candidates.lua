-- ICE candidates: a text, an object, or null at the end of candidates; in their order.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.signaling", "std.presence" }

local full = { candidate = scene.candidate, sdpMid = "0", sdpMLineIndex = 0, usernameFragment = "abcd" }

sig.test("a candidate is a text, an object or null", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("ice-candidate", full, "bob")
  ann:sends("ice-candidate", { candidate = { candidate = scene.candidate, sdpMid = "0" } }, "bob")
  ann:sends("ice-candidate", { candidate = sig.null, sdpMid = sig.null, sdpMLineIndex = sig.null }, "bob")
  bob:receives("ice-candidate", t.exactly(full))
  bob:receives("ice-candidate", { candidate = { sdpMid = "0" } })
  bob:receives "ice-candidate"
end)

sig.test("its parts are checked", function(t)
  scene.checks_payload(t, "ice-candidate", full, { candidate = "" }, {
    { "candidate" },
    { "candidate", 5 },
    { "candidate", "candidate:1 1 udp 0 192.0.2.1 54321 typ host" },
    { "sdpMid", 0 },
    { "sdpMid", ("m"):rep(65) },
    { "sdpMLineIndex", -1 },
    { "sdpMLineIndex", "0" },
    { "usernameFragment", 7 },
    { "extra", true, "payload" },
  })
end)

sig.test("what is wrong with a candidate is said: where, and what belongs there", function(t)
  local ann = scene.call(t, "ann")
  ann:sends("ice-candidate", { candidate = "candidate:1 1 udp 0 192.0.2.1 54321 typ host" })
  local refusal = ann:is_refused("INVALID_MESSAGE").payload
  assert(refusal.details.offset == 18 and refusal.message:find "a priority from 1 to 4294967295")
end)

sig.test("candidates come in the order in which they were sent, behind their offer", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  ann:sends("offer", { sdp = scene.sdp, type = "offer" }, "bob")
  for i = 1, 5 do
    ann:sends("ice-candidate", { candidate = scene.candidate, sdpMLineIndex = i }, "bob")
  end
  bob:receives "offer"
  for i = 1, 5 do
    bob:receives("ice-candidate", { sdpMLineIndex = i })
  end
end)
