-- What lies in the folder of the wallets, as far as that shows without opening a secret.
local keybox = require "core.keybox"
local lfs = require "lfs"

local keyfile = require "bittern.keyfile"
local wallet = require "bittern.wallet"

local M = {}

local PUBLIC <const> = "pub.txt" -- what the name of a hotkey's public half ends with

-- Names of one kind in a folder, in order; none where it is not there or may not be read.
local function names_in(folder, kind)
  local names = {}
  local opened, each, state = pcall(lfs.dir, folder)
  if not opened then return names end
  for name in each, state do
    local mode = name:sub(1, 1) ~= "." and lfs.attributes(folder .. "/" .. name, "mode")
    if mode == kind then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- The address that the public half of a key tells.
local function public_address(path)
  local text <close> = keybox.read(path)
  return text and keyfile.glance(text).address
end

local function hotkey_at(folder, name)
  local path = folder .. "/" .. name
  local text <close>, warnings = wallet.read(path)
  if not text then
    return { name = name, path = path, kind = "unreadable", warnings = { warnings } }
  end
  local seen = keyfile.glance(text)
  return {
    name = name, path = path, kind = seen.kind, warnings = warnings,
    address = seen.address or public_address(path .. PUBLIC),
  }
end

-- The hotkeys of a wallet; `<name>pub.txt` beside `<name>` is no further one.
local function hotkeys_of(folder)
  local names, known, list = names_in(folder, "file"), {}, {}
  for _, name in ipairs(names) do known[name] = true end
  for _, name in ipairs(names) do
    local of = name:sub(-#PUBLIC) == PUBLIC and name:sub(1, -#PUBLIC - 1)
    if not (of and known[of]) then list[#list + 1] = hotkey_at(folder, name) end
  end
  return list
end

--- The wallets in a folder.
-- @param folder path
-- @return array of {name=, coldkey= address or nil, hotkeys= array of {name=, path=, kind= "plain",
--   "encrypted", "public" or "unreadable", address= or nil, warnings= array of text}}; or nil,
--   message, "config"
function M.wallets(folder)
  if lfs.attributes(folder, "mode") ~= "directory" then
    return nil, folder .. ": no folder of wallets; `bittern wallet new` makes one", "config"
  end
  local list = {}
  for i, name in ipairs(names_in(folder, "directory")) do
    local path = folder .. "/" .. name
    list[i] = {
      name = name, coldkey = public_address(path .. "/coldkeypub.txt"),
      hotkeys = hotkeys_of(path .. "/hotkeys"),
    }
  end
  return list
end

return M
