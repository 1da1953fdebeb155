-- Times as they stand in messages and answers.
local sig = require "lunasig"

local clock = {}

-- ISO 8601, UTC, with milliseconds, as in the envelope of messages. Of the time now, unless seconds since 1970 are given.
function clock.stamp(seconds)
  seconds = seconds or sig.now()
  local whole = math.floor(seconds)
  return ("%s.%03d+00:00"):format(os.date("!%Y-%m-%dT%H:%M:%S", whole), math.floor((seconds - whole) * 1000))
end

return clock
