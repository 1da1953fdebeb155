-- How members are called: the names that tokens bring pass the rule of lunasig.text before anybody hears them. Where nothing is left of a
-- name, the user id stands for it.
local sig = require "lunasig"
local text = require "lunasig.text"

sig.policy { name = "std.names", api = 1 }

sig.on("join", function(_, member)
  member.username = text.name(member.username) or member.id
end)
