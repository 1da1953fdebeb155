-- What routes answer when they refuse: as the server's own endpoints do.
local sig = require "lunasig"

local answer = {}

-- 403: he may not; 404: there is none; 409: it does not fit how things stand now (a bound is reached, the transfer has ended).
function answer.refused(status, why, code)
  return status, { detail = why or "Not Found", code = code }
end

-- 422: a value has the right type, and is still not good. The value itself is not sent back.
function answer.invalid(field, why, code)
  return 422, { detail = { { type = "value_error", loc = { "body", field }, msg = why, input = sig.null } }, code = code }
end

return answer
