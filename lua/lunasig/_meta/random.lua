---@meta lunasig.random

--- Random values from the kernel, fit for secrets. In tests of policies they repeat.
---@class lunasig.Random
local Random = {}

--- 2n hexadecimal digits of n random bytes.
---@param n integer 1 to 1,024
---@return string
function Random.hex(n) end

--- 128 bits as 22 letters, digits, - and _ (base64url).
---@return string
function Random.id() end

--- A whole number from min to max, each as likely as any other.
---@param min integer
---@param max integer less than 2^53 above min
---@return integer
function Random.integer(min, max) end

---@class lunasig
---@field random lunasig.Random Random values fit for secrets.
local sig = {}

return Random
