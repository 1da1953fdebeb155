-- WEBSOCKET_CONNECTION_LIMIT: five connections of one user, over all rooms.
local sig = require "lunasig"
sig.use { "std.presence" }

sig.test("the sixth connection of a user is refused before it is a WebSocket", function(t)
  for i = 1, 5 do
    t:client("ann"):joins("r" .. i)
  end
  local sixth = t:client "ann"
  sixth:joins "r6"
  sixth:is_refused(429)
  t:client("bob"):joins "r6"
end)

sig.test("one that leaves makes room for another", function(t)
  local first = t:client "ann"
  first:joins "r1"
  for i = 2, 5 do
    t:client("ann"):joins("r" .. i)
  end
  first:leaves()
  t:client("ann"):joins "r6"
end)
