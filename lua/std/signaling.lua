-- Offers, answers and candidates: how two browsers find each other (WebRTC).
--
-- A mesh join of ten sends 108 of them at once, so they have a rate of their own instead of WEBSOCKET_MESSAGE_RATE_LIMIT.
-- A target that never was in the room means everybody, for clients of the original service only: they rely on it.
local sig = require "lunasig"
local field = require "lunasig.field"

sig.policy { name = "std.signaling", api = 1 }

local function signal(name, payload, alias)
  sig.type(name) {
    to = "room",
    absent = "broadcast",
    connection = "one",
    rate = "50/s burst 1000 per connection",
    payload = sig.object(payload),
    alias = alias,
  }
end

signal("offer", { sdp = sig.sdp, type = sig.string { max = 32 } })
signal("answer", { sdp = sig.sdp, type = sig.string { max = 32 } })
signal("ice-candidate", {
  candidate = sig.candidate,
  sdpMid = sig.string { max = 64, optional = true, null = true, compat = "number" },
  sdpMLineIndex = sig.integer { min = 0, optional = true, null = true },
  usernameFragment = field.text,
}, "ice_candidate")
