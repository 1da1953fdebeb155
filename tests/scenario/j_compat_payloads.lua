-- Payloads of compat clients are checked leniently: known fields by their type; null, missing and further fields pass.
local sig = require "lunasig"
sig.use { "std.signaling", "std.presence", "std.media", "std.chat", "std.files" }

local function old_and_ann(t)
  local old, ann = t:client { user = "old", dialect = "compat" }, t:client "ann"
  old:joins "r1"
  ann:joins "r1"
  return old, ann
end

local passes = {
  { "chat-message", '{"content":"hi","user_id":null,"emoji":"wave"}' },
  { "chat-message", '{"content":"hi","user_id":7,"timestamp":1767614400}' },
  { "chat-message", '{"content":"hi","message_type":"shout"}' },
  { "media-control", '{"action":"explode"}' },
  { "offer", '{"sdp":{"type":"offer","sdp":"v=0"},"type":"offer"}' },
  { "offer", '{"sdp":null,"type":"offer"}' },
  { "ice-candidate", '{"candidate":"whatever","sdpMid":0}' },
  { "file-share-offer", '{"transfer_id":5,"file_name":""}' },
}

sig.test("what existing clients send passes, and goes on as it came", function(t)
  local old, ann = old_and_ann(t)
  for _, case in ipairs(passes) do
    old:sends_raw(('{"type":"%s","payload":%s}'):format(case[1]:gsub("-", "_"), case[2]))
    ann:receives { type = case[1], sender_id = "old" }
  end
  old:receives_nothing "error"
end)

sig.test("a field of a wrong type is refused", function(t)
  local old, ann = old_and_ann(t)
  old:sends("chat-message", { content = 5 })
  assert(old:is_refused("INVALID_MESSAGE").payload.details.field == "payload.content")
  old:sends("file-share-offer", { file_size = "big" })
  old:is_refused "INVALID_MESSAGE"
  ann:receives_nothing "chat-message"
end)

sig.test("the same from a lunasig.v1 client is refused", function(t)
  local _, ann = old_and_ann(t)
  for _, case in ipairs(passes) do
    ann:sends_raw(('{"type":"%s","payload":%s}'):format(case[1], case[2]))
    ann:is_refused "INVALID_MESSAGE"
  end
end)
