-- Where a model's files lie: has(name), text(name), source(name), list() and close(). For archives,
-- bittern.model.archive gives the same.
local fs = require "core.fs"
local lfs = require "lfs"
local map = require "core.map"

local M = {}

--- The largest file that is read as text.
M.LARGEST_TEXT = 64 << 20

--- A folder; list() gives the names of its files, sorted.
function M.folder(path)
  local folder, maps = {}, {}

  -- What cannot be looked at counts as there: whoever reads it hears why.
  function folder.has(name)
    local info, _, code = fs.stat(path .. "/" .. name)
    return info and info.type == "file" or info == nil and code ~= "not_found"
  end

  function folder.text(name)
    return fs.read(path .. "/" .. name, M.LARGEST_TEXT)
  end

  function folder.source(name)
    local opened, message, code = map.open(path .. "/" .. name)
    maps[#maps + 1] = opened
    return opened, message, code
  end

  function folder.list()
    local names = {}
    for name in lfs.dir(path) do
      if folder.has(name) then names[#names + 1] = name end
    end
    table.sort(names)
    return names
  end

  function folder.close()
    for _, opened in ipairs(maps) do opened:close() end
  end

  return folder
end

--- A file that holds weights alone, with nothing beside them; keep(map) closes what others open.
function M.file(path)
  local folder, maps = {}, {}

  function folder.has()
    return false
  end

  function folder.source()
    local opened, message, code = map.open(path)
    maps[#maps + 1] = opened
    return opened, message, code
  end

  function folder.keep(opened)
    maps[#maps + 1] = opened
  end

  function folder.close()
    for _, opened in ipairs(maps) do opened:close() end
  end

  return folder
end

return M
