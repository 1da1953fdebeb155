-- Targets of compat clients: one who never was here means everybody, where the type says so (`absent`); one who left does not.
local sig = require "lunasig"
sig.use { "std.signaling", "std.presence", "std.media", "std.chat", "std.reactions", "std.files", "std.recording", "std.quality" }
sig.use { "std.analytics", "std.background", "std.hand_raise" }
sig.type "strict" {}

local function old_and_others(t)
  local old, ann, bob = t:client { user = "old", dialect = "compat" }, t:client "ann", t:client "bob"
  old:joins "r1"
  ann:joins "r1"
  bob:joins "r1"
  return old, ann, bob
end

local types = {
  "offer", "answer", "ice-candidate", "media-control", "screen-share-control", "chat-message", "reaction", "file-share-offer",
  "file-share-accept", "file-share-reject", "file-share-progress", "file-share-complete", "recording-control", "recording-status",
  "network-stats", "quality-update", "analytics-event", "virtual-background-update", "hand-raise",
}

sig.test("a target that never was here means everybody", function(t)
  local old, ann, bob = old_and_others(t)
  for _, type in ipairs(types) do
    old:sends((type:gsub("-", "_")), {}, "server")
    ann:receives { type = type, sender_id = "old" }
    bob:receives(type)
  end
end)

sig.test("one who left does not", function(t)
  local old, ann, bob = old_and_others(t)
  bob:leaves()
  for _, type in ipairs(types) do
    old:sends(type, {}, "bob")
    old:is_refused "TARGET_NOT_FOUND"
  end
  ann:receives_nothing { sender_id = "old" }
end)

sig.test("types that do not say so refuse both", function(t)
  local old = old_and_others(t)
  old:sends("strict", {}, "server")
  old:is_refused "TARGET_NOT_FOUND"
end)

sig.test("a present target hears it alone", function(t)
  local old, ann, bob = old_and_others(t)
  old:sends("chat-message", { content = "psst", target_user_id = "ann" })
  ann:receives("chat-message", { content = "psst" })
  bob:receives_nothing "chat-message"
end)
