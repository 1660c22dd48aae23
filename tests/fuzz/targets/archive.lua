-- bittern.model.archive: kinds, tars, and core.unpack below them.
local archives = require "bittern.model.archive"
local outcome = require "tests.fuzz.outcome"

-- A place for entries, which are not kept but counted.
local function counting(counts)
  return {
    open = function(name)
      assert(not counts.open and name:sub(1, 1) ~= "/" and not ("/" .. name):find("/%.%./"))
      counts.open = true
      return true
    end,
    piece = function(_, size)
      counts.total = counts.total + size
      return true
    end,
    close = function()
      counts.open = false
      return true
    end,
  }
end

return function(bytes)
  return outcome.mapped(bytes, function(source)
    local counts = { total = 0, open = false }
    local entries, message, code = archives.read(source, "x", counting(counts))
    if not entries then return outcome.refused(message, code) end
    for _, entry in ipairs(entries) do counts.total = counts.total - entry.size end
    assert(counts.total == 0 and not counts.open, "other sizes than the entries say")
    return "read"
  end)
end
