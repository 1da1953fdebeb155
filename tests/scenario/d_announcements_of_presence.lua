-- A policy may let clients send what else only the server says about who is here; then these payloads are checked.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence" }
scene.opens(sig, "user-joined", "user-left", "user-away", "user-back", "peer-joined", "peer-left", "room-state")

local when = "2026-01-05T12:00:00Z"
scene.opens(sig, "error", "token-expiring", "token-refreshed", "ice-servers", "draining", "ack", "pong")

-- All of them may have members that are not named here.
local function needs(t, type, full, wrong)
  full.more = true
  local required = {}
  for name, value in pairs(full) do
    required[name] = value
  end
  required.username, required.timestamp, required.reason, required.details = nil, nil, nil, nil
  scene.checks_payload(t, type, full, required, wrong)
end

sig.test("who comes and goes has an id", function(t)
  local wrong = { { "user_id" }, { "user_id", 5 }, { "username", 5 }, { "timestamp", 5 } }
  needs(t, "user-joined", { user_id = "bob", username = "Bob", timestamp = when }, wrong)
  wrong[#wrong + 1] = { "reason", 5 }
  needs(t, "user-left", { user_id = "bob", username = "Bob", timestamp = when, reason = "bye" }, wrong)
end)

sig.test("who is away and back is counted", function(t)
  for _, type in ipairs { "user-away", "user-back" } do
    local full = { user_id = "bob", revision = 7, timestamp = when }
    needs(t, type, full, { { "user_id" }, { "user_id", 5 }, { "revision" }, { "revision", 1.5 }, { "timestamp", 5 } })
  end
end)

sig.test("a peer has an id and a place in the order", function(t)
  for _, type in ipairs { "peer-joined", "peer-left" } do
    local wrong = { { "user_id", 5 }, { "peer_id" }, { "peer_id", 5 }, { "join_seq" }, { "join_seq", "1" } }
    needs(t, type, { user_id = "bob", peer_id = "0123", join_seq = 3 }, wrong)
  end
end)

sig.test("the state of a room is who is in it", function(t)
  local full = { room_id = "r1", participants = { { user_id = "bob" } }, participant_count = 0 }
  needs(t, "room-state", full, {
    { "room_id" },
    { "room_id", 5 },
    { "participants" },
    { "participants", { 5 }, "payload.participants[0]" },
    { "participant_count" },
    { "participant_count", -1 },
  })
end)

sig.test("an error has a code and a text; an ack counts from one; a token has an end", function(t)
  needs(t, "error", { code = "X", message = "y", details = { 1 } }, { { "code" }, { "code", 5 }, { "message" }, { "message", 5 } })
  needs(t, "ack", { id = 1 }, { { "id" }, { "id", 0 } })
  for _, type in ipairs { "token-expiring", "token-refreshed" } do
    needs(t, type, { expires_at = 1767614400 }, { { "expires_at" }, { "expires_at", when } })
  end
end)

sig.test("of the others the form is free", function(t)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, type in ipairs { "ice-servers", "draining", "pong" } do
    ann:sends(type, { anything = { 1, 2 } })
    bob:receives { type = type, sender_id = "ann", payload = { anything = { 1, 2 } } }
  end
end)
