-- TURN: credentials of each user's own, and fresh ones before they end (WEBRTC_TURN_SECRET).
local sig = require "lunasig"
sig.use { "std.presence" }

local turn = {
  WEBRTC_TURN_URLS = "turn:turn.example.org:3478",
  WEBRTC_TURN_SECRET = "a secret that a TURN server shares",
  WEBRTC_TURN_LIFETIME_S = "600",
}

local function turn_of(servers)
  return servers[#servers]
end

sig.test("who comes is given credentials that end, for his user", { settings = turn }, function(t)
  local server = turn_of(t:client("ann"):joins("r1").payload.ice_servers)
  assert(server.urls[1] == "turn:turn.example.org:3478" and server.username:find "^%d+:ann$" and #server.credential == 28)
end)

sig.test("a minute before they end fresh ones come", { settings = turn }, function(t)
  local ann = t:client "ann"
  local first = turn_of(ann:joins("r1").payload.ice_servers)
  ann:receives_nothing { type = "ice-servers", within = "539s" }
  local fresh = turn_of(ann:receives({ type = "ice-servers", within = "1s" }).payload.ice_servers)
  assert(fresh.username ~= first.username and fresh.credential ~= first.credential)
  ann:receives { type = "ice-servers", within = "540s" }
end)

sig.test("they do not outlive the token", { settings = turn }, function(t)
  local ann = t:client { user = "ann", expires = "5min" }
  local server = turn_of(ann:joins("r1").payload.ice_servers)
  assert(tonumber(server.username:match "^%d+") <= sig.now() + 300)
end)

sig.test("without a secret everybody has the fixed ones", {
  settings = { WEBRTC_TURN_URLS = "turn:t.example.org", WEBRTC_TURN_USERNAME = "u", WEBRTC_TURN_CREDENTIAL = "p" },
}, function(t)
  local server = turn_of(t:client("ann"):joins("r1").payload.ice_servers)
  assert(server.username == "u" and server.credential == "p")
end)
