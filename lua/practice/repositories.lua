-- The repositories of the tasks that ship, made of lua/practice/pack: bare ones in the state's
-- folder, with the same commit wherever and whenever they are made.
local fs = require "core.fs"
local sys = require "core.sys"

local command = require "bittern.agent.command"
local git = require "bittern.git"
local paths = require "bittern.paths"
local workspace = require "bittern.workspace"

local tasks = require "bittern.practice.tasks"

local M = {}

local COMMITTER <const> = "Bittern <bittern@localhost> 1767225600 +0000"

local at_top = { ".gitignore", "README.md" }
local in_pack = { "benchmark.py", "prepare.py", "score.lua", "shared.py", "train.py" }

local function data(text)
  return ("data %d\n%s\n"):format(#text, text)
end

local function add(stream, names, folder)
  for _, name in ipairs(names) do
    local text, message, code = fs.read(paths.root() .. "/lua/practice/pack/" .. name)
    if not text then return nil, message, code end
    stream[#stream + 1] = ("M 100644 inline %s%s\n%s"):format(folder, name, data(text))
  end
  return true
end

-- The one commit of a task's repository, as `git fast-import` reads it.
local function commit(record)
  local stream = { "commit refs/heads/production\ncommitter " .. COMMITTER .. "\n"
    .. data(record.title .. "\n") }
  local ok, message, code = add(stream, at_top, "")
  if ok then ok, message, code = add(stream, in_pack, record.result_path:match("^.*/")) end
  if not ok then return nil, message, code end
  return table.concat(stream)
end

local function head(path)
  local text, message, code = git.run({ "rev-parse", "--verify", "HEAD" }, { folder = path })
  if not text then return nil, message, code end
  return text:match("%x+")
end

local function import(path, record)
  local stream, message, code = commit(record)
  if not stream then return nil, message, code end
  workspace.remove(path)
  local ok
  ok, message, code = fs.mkdir(path)
  if not ok then return nil, message, code end
  ok, message, code = git.run({ "init", "--quiet", "--bare", "--template=", "--object-format=sha1",
    "--initial-branch=production" }, { folder = path })
  if not ok then return nil, message, code end
  return git.run({ "fast-import", "--quiet" }, { folder = path, input = stream })
end

-- One that is there and holds the commit is left alone; another one is of another version.
local function make_one(folder, record)
  local path = folder .. "/" .. record.repository:match("[^/]+$")
  local found = { path = path, commit = fs.stat(path) and head(path) }
  if found.commit == record.base_ref then return found end
  local part = path .. ".part"
  local ok, message, code = import(part, record)
  if not ok then return nil, message, code end
  workspace.remove(path)
  ok, message, code = fs.rename(part, path)
  if not ok then return nil, message, code end
  found.commit, message, code = head(path)
  return found.commit and found, message, code
end

-- The program that benchmarks in checkouts of these repositories score with: this one.
local function write_program(folder)
  local text = ("#!/bin/sh\nexec %s \"$@\"\n"):format(command.quoted(sys.exe()))
  return fs.write(folder .. "/bittern", text, { mode = 0x1C0 })
end

--- Makes them, unless they are there.
-- @param dir the coordinator's folder, absolute
-- @return {slug = {path =, commit = its HEAD}}, or nil, message, code
function M.make(dir)
  if dir:find("[%s%c*|`]") then
    return nil, dir .. ": no repository's address may have its blanks or its * | `", "config"
  end
  local folder, made = dir .. "/repositories", {}
  local ok, message, code = fs.mkdir(folder, 0x1C0)
  if ok then ok, message, code = write_program(folder) end
  if not ok then return nil, message, code end
  for _, task in ipairs(tasks) do
    local found
    found, message, code = make_one(folder, task.record)
    if not found then return nil, message, code end
    made[task.record.slug] = found
  end
  return made
end

return M
