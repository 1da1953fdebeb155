-- Everything of a collection of sig.store whose keys begin with a prefix. One list of it has at most 1,000 documents and 256 KiB.
local pages = {}

function pages.all(collection, prefix)
  local all, last = {}, nil
  repeat
    local page = collection:list { prefix = prefix, after = last, limit = 1000 }
    for _, found in ipairs(page) do
      all[#all + 1], last = found.value, found.key
    end
  until #page == 0
  return all
end

return pages
