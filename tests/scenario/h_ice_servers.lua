-- The hook ice_servers: a policy says which STUN and TURN servers a member is given.
local sig = require "lunasig"
sig.use { "std.presence" }

sig.on("ice_servers", function(member, list)
  local region = member.claims.region
  if region == "eu" then return { { urls = { "turn:eu.example.org" }, username = member.id, credential = "secret" } } end
  if region == "none" then return sig.json.array {} end
  if region == "more" then
    list[#list + 1] = { urls = { "stun:more.example.org" } }
    return list
  end
end)

local function servers(t, region)
  local client = t:client { user = "ann", claims = { region = region } }
  return client:joins("r1").payload.ice_servers
end

sig.test("without a word of the policy those of the settings", function(t)
  local list = servers(t)
  assert(#list == 1 and list[1].urls[1] == "stun:stun.l.google.com:19302")
end)

sig.test("others in their place, by what the token says", function(t)
  local list = servers(t, "eu")
  assert(#list == 1 and list[1].urls[1] == "turn:eu.example.org" and list[1].username == "ann" and list[1].credential == "secret")
end)

sig.test("more of them, or none", function(t)
  local list = servers(t, "more")
  assert(#list == 2 and list[2].urls[1] == "stun:more.example.org")
  assert(#servers(t, "none") == 0)
end)
