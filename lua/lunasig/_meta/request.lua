---@meta lunasig.request

--- An HTTP request: of a route, or the handshake that the hooks connect and auth are asked about. Valid in its hook only. When its
--- client goes away while the hook waits, reading it is an error, and the hook goes on to its end without it.
---
--- query is what stands behind the `?`, decoded: texts, or, where the route declares a query, the declared names in their declared
--- types and no others. Of a name that is there twice the first counts; at most 64 are looked at.
---
--- body is the JSON as Lua values (a null is nil in an object, see `is_null`, and sig.null in an array); one that says that it is something else is a text.
---
--- Tokens, tickets, cookies and the header Authorization are not part of a request.
---@class lunasig.Request
---@field method string "GET", "POST", …; a HEAD is answered by the route of GET and says "HEAD"
---@field path string decoded, without the query
---@field params table<string, string> what the parameters of the route's path matched, decoded
---@field query table<string, string|number|boolean>
---@field body any nil: there is none
---@field claims table? of the verified token; nil: none is needed, or (connect) it comes in the first message
---@field user string? the token's `sub`
---@field ip string address of the client, behind trusted proxies
---@field origin string? header Origin; nil: no browser, or its own page
---@field room_id string? of the handshake's path, or what :room matched; nil: there is none
---@field dialect string? "compat" or "lunasig.v1"; nil: a route
local Request = {}

--- A header: accept, accept-language, content-type, host, user-agent or x-request-id; any other name is an error. nil: it is not
--- there, or has more than 511 bytes.
---@param name string without regard to case
---@return string?
function Request:header(name) end

--- Whether the JSON body is an object with this field and the field is null: a null is nil in `body`, as if it were not there.
---@param name string a field of the body itself, not of an object in it
---@return boolean
function Request:is_null(name) end

return Request
