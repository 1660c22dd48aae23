-- From a model directory to the archive that is published: what goes in, what stays out, what must
-- not be there.
local fs = require "core.fs"
local lfs = require "lfs"

local writer = require "bittern.model.zip.writer"

local M = {}

-- Never part of an artifact: other tools' folders, caches, logs, our own locks and half files.
local skipped = {
  "^%.git$", "^%.gitattributes$", "^%.gitignore$", "^%.cache$", "^%.huggingface$", "^__pycache__$",
  "^%.ipynb_checkpoints$", "^%.DS_Store$", "%.pyc$", "%.pyo$", "%.log$", "%.lock$", "~$", "%.swp$",
  "%.tmp$", "^%..*%.tmp%-%x+$", "%.part$",
}

-- Names that keys and passwords go by; publishing one cannot be undone.
local secret = {
  "^%.env", "%.pem$", "%.key$", "%.p12$", "%.pfx$", "^id_[rde]", "^%.netrc$", "^%.pypirc$",
  "^%.npmrc$", "^%.git%-credentials$", "^credentials", "mnemonic", "secret", "password", "^hotkey",
  "^coldkey", "^wallet", "^token$", "^hf_token", "%.seed$",
}

local function matches(name, patterns)
  for _, pattern in ipairs(patterns) do
    if name:find(pattern) then return true end
  end
  return false
end

--- Whether pack leaves a file or folder of this name out.
function M.is_skipped(name)
  return matches(name, skipped)
end

local add_folder

local function add(list, dir, name)
  local path = dir .. "/" .. name
  local mode = lfs.symlinkattributes(path, "mode")
  if M.is_skipped(name) then return true end
  if matches(name:lower(), secret) then
    return nil, path .. ": looks like a secret; move it away or rename it", "invalid_artifact"
  end
  if mode == "directory" then return add_folder(list, path, list.prefix .. name .. "/") end
  if mode ~= "file" then
    return nil, ("%s: is a %s; only regular files are packed"):format(path, mode or "missing file"),
      "invalid_artifact"
  end
  local info, message, code = fs.stat(path)
  if not info then return nil, message, code end
  list[#list + 1] = { name = list.prefix .. name, path = path, size = info.size }
  return true
end

function add_folder(list, dir, prefix)
  local names, why, id = fs.list(dir)
  if not names then return nil, why, id end
  table.sort(names)
  local before = list.prefix
  list.prefix = prefix
  for _, name in ipairs(names) do
    local ok, message, code = add(list, dir, name)
    if not ok then return nil, message, code end
  end
  list.prefix = before
  return true
end

--- The files of a directory that pack takes.
-- @param dir string
-- @return array of {name, path, size} sorted by name, or nil, message, code
function M.list(dir)
  local info, message, code = fs.stat(dir)
  if not info then return nil, message, code end
  if info.type ~= "directory" then return nil, dir .. ": is not a directory", "usage" end
  local list = { prefix = "" }
  local ok, why, id = add_folder(list, dir, "")
  if not ok then return nil, why, id end
  list.prefix = nil
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

-- Exactly one config.json: with two, a validator may load either.
local function check_config(dir, list)
  local count = 0
  for _, file in ipairs(list) do
    if ("/" .. file.name):find("/config%.json$") then count = count + 1 end
  end
  if count == 1 then return true end
  local what = count == 0 and "no config.json" or ("%d files named config.json"):format(count)
  return nil, dir .. ": has " .. what, "invalid_artifact"
end

-- The archive may not lie where the next run would pack it.
local function check_place(dir, out)
  local folder = fs.realpath(out:match("^(.*)/[^/]*$") or ".") or ""
  local inside = (folder .. "/"):sub(1, #dir + 1) == dir .. "/"
  if not inside or M.is_skipped(out:match("[^/]*$")) then return true end
  return nil, out .. ": lies inside of the directory that is packed", "usage"
end

--- Packs a model directory.
-- @param options {dir =, out = file to write, on_progress = function(done, total) or nil}
-- @return {path, size, sha256, files} of the exact bytes, or nil, message, code
function M.run(options)
  local list, message, code = M.list(options.dir)
  if not list then return nil, message, code end
  local ok, why, id = check_config(options.dir, list)
  if not ok then return nil, why, id end
  ok, why, id = check_place(assert(fs.realpath(options.dir)), options.out)
  if not ok then return nil, why, id end
  local done, reason, kind = writer.write(options.out, list, { on_progress = options.on_progress })
  if not done then return nil, reason, kind end
  done.files = #list
  return done
end

return M
