-- Where a model's files lie: has(name), text(name), source(name) and close().
local fs = require "core.fs"
local map = require "core.map"

local zip = require "bittern.model.zip"

local M = {}

local LARGEST_TEXT <const> = 64 << 20

--- A folder.
function M.folder(path)
  local folder, maps = {}, {}

  function folder.has(name)
    local info = fs.stat(path .. "/" .. name)
    return info ~= nil and info.type == "file"
  end

  function folder.text(name)
    return fs.read(path .. "/" .. name, LARGEST_TEXT)
  end

  function folder.source(name)
    local opened, message, code = map.open(path .. "/" .. name)
    maps[#maps + 1] = opened
    return opened, message, code
  end

  function folder.close()
    for _, opened in ipairs(maps) do opened:close() end
  end

  return folder
end

--- The folder inside of an archive; or nil, message, code.
function M.archive(path)
  local archive, message, code = zip.open(path)
  if not archive then return nil, message, code end
  local inside, why, id = archive:folder()
  if not inside then
    archive:close()
    return nil, why, id
  end
  local folder = {}

  function folder.has(name)
    return archive.by_name[inside .. name] ~= nil
  end

  function folder.source(name)
    return archive:slice(inside .. name)
  end

  function folder.text(name)
    local slice, reason, kind = folder.source(name)
    if not slice then return nil, reason, kind end
    if slice:size() > LARGEST_TEXT then
      return nil, ("%s: %s is larger than %d bytes"):format(path, name, LARGEST_TEXT), "too_large"
    end
    return slice:read(0, slice:size())
  end

  function folder.close()
    archive:close()
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
