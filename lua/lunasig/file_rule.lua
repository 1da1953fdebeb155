-- Which files may be offered. To have another rule, change this file, or put a lunasig/file_rule.lua into your own bundle. The server
-- never sees what is in a file: it goes from browser to browser.
local text = require "lunasig.text"

local rule = { size_max = 500 * 1024 * 1024, mime_max = 255 }

local blocked = {} -- by what stands behind the last dot: programs and scripts that a double click would run
local names = "exe bat cmd com pif scr vbs vbe js jse wsf wsh msi msp dll sh bash zsh app deb rpm dmg pkg ps1 jar lnk hta cpl reg"
for name in names:gmatch "%S+" do
  blocked[name] = true
end

-- nil: it may be offered. Otherwise why it may not.
function rule.problem(name, size, mime)
  local good, why = text.file_name(name)
  if not good then return why end
  local extension = name:lower():match "%.([^.]*)[. ]*$" -- Windows passes over dots and blanks at the end
  if extension and blocked[extension:match "^(.-) *$"] then return ("files of the type .%s may not be sent"):format(extension) end
  if type(size) ~= "number" or size < 0 or size % 1 ~= 0 then return "the size of a file is a number of bytes" end
  if size > rule.size_max then return ("a file has at most %d MB"):format(rule.size_max / 1024 / 1024) end
  if mime ~= nil and (type(mime) ~= "string" or #mime > rule.mime_max or mime:find "[^%w/!#$&^_.+;= \"-]") then
    return "the type of a file is a media type such as image/png"
  end
end

-- Into how many chunks a file is cut.
function rule.chunks(size, chunk_size)
  return math.ceil(size / chunk_size)
end

return rule
