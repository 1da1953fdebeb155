-- What texts and names that members write have to pass. To have another rule, change this file, or put a lunasig/text.lua into your own
-- bundle. It keeps tags and control characters out; making a text safe to show is still the client's part: escape it on output.
local text = {}

local chat_max = 16384 -- characters
local name_max = 128
local file_name_max = 255 -- bytes, as file systems count

-- U+0080 to U+009F, and what turns the direction of writing over (U+202A to U+202E, U+2066 to U+2069): "gpj.exe" would read "exe.jpg".
local c1 = "\194[\128-\159]"
local overrides, isolates = "\226\128[\170-\174]", "\226\129[\166-\169]"

local function length(s)
  if #s <= name_max then return #s end
  local _, continued = s:gsub("[\128-\191]", "")
  return #s - continued
end

-- One run of `<` with what stands behind it, up to the next `<`. Nothing is put together that was apart: the whole run goes.
local function without_tag(run, rest)
  if not rest:find "^[%a/!]" then return run .. rest end
  local close = rest:find(">", 1, true)
  return close and rest:sub(close + 1) or rest
end

-- A tag is a `<` directly before a letter, `/` or `!`, and all up to its `>`. Without one, the `<` alone goes. "a < b and c > d" stays.
function text.without_tags(s)
  if not s:find("<", 1, true) then return s end
  return (s:gsub("(<+)([^<]*)", without_tag))
end

-- Tabs and line breaks stay.
function text.without_controls(s)
  if s:find "[%z\1-\8\11\12\14-\31\127]" then s = s:gsub("[%z\1-\8\11\12\14-\31\127]", "") end
  if s:find("\194", 1, true) then s = s:gsub(c1, "") end
  return s
end

-- The text as it may go out; nil, a code and why: it may not. What is no text (compat clients) is none of this rule's business.
function text.chat(s)
  if type(s) ~= "string" then return s end
  if #s > chat_max and length(s) > chat_max then
    return nil, "MESSAGE_TOO_LARGE", ("a message has at most %d characters"):format(chat_max)
  end
  local clean = text.without_tags(text.without_controls(s))
  if clean ~= s and not clean:find "%S" then
    return nil, "MALICIOUS_CONTENT", "nothing is left of this message without its tags and control characters"
  end
  return clean
end

-- A name as it may be shown, on one line; nil: nothing is left of it.
function text.name(s)
  if type(s) ~= "string" then return nil end
  if s:find "^[%w_.@ -]+$" and #s <= name_max and not s:find "^ " and not s:find " $" then return s end
  s = text.without_controls(s:gsub("%s+", " "))
  s = text.without_tags(s:gsub(overrides, ""):gsub(isolates, ""))
  s = s:sub(1, name_max * 4):match "^%s*(.-)%s*$"
  while length(s) > name_max do
    s = s:gsub("[^\128-\191][\128-\191]*$", "")
  end
  return s ~= "" and s or nil
end

-- The name of a file: one part of a path; nil and why: it is none.
function text.file_name(s)
  if type(s) ~= "string" or s == "" or #s > file_name_max then
    return nil, ("the name of a file has 1 to %d bytes"):format(file_name_max)
  end
  if s:find "[/\\%c]" or s:find(c1) or s:find(overrides) or s:find(isolates) or not s:find "[^. ]" then
    return nil, "the name of a file has no path, no control characters and not only dots"
  end
  if text.without_tags(s) ~= s then return nil, "the name of a file has no tags" end
  return s
end

return text
