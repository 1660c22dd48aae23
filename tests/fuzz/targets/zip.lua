-- bittern.model.zip, and what inflates its members.
local outcome = require "tests.fuzz.outcome"
local zip = require "bittern.model.zip"

return function(bytes)
  return outcome.mapped(bytes, function(source)
    local opened, message, code = zip.read(source, "x")
    if not opened then return outcome.refused(message, code) end
    local total = 0
    for _, entry in ipairs(opened.entries) do
      if entry.method == 0 then assert(opened:slice(entry.name):size() == entry.size) end
      local ok, why, id = opened:read(entry.name, function(_, size)
        total = total + size
        return true
      end)
      if not ok then return outcome.refused(why, id) end
    end
    assert(total == opened.size, "other sizes than the directory says")
    return "read"
  end)
end
