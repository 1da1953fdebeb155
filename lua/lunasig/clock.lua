-- Times as they stand in messages and answers.
local sig = require "lunasig"

local clock = {}

-- ISO 8601, UTC, with milliseconds, as in the envelope of messages. Of the time now, unless seconds since 1970 are given.
function clock.stamp(seconds)
  seconds = seconds or sig.now()
  local whole = math.floor(seconds)
  return ("%s.%03d+00:00"):format(os.date("!%Y-%m-%dT%H:%M:%S", whole), math.floor((seconds - whole) * 1000))
end

-- How many seconds have passed since a time that sig.now() gave: to the millisecond, and never fewer than none, for the clock of a server
-- may be set back.
function clock.since(seconds)
  return math.max(0, math.floor((sig.now() - seconds) * 1000 + 0.5) / 1000)
end

return clock
