-- Recipes: found, loaded, asked what becomes of each tensor, and answered for every mistake with
-- file and line.
local fs = require "core.fs"
local limit = require "core.limit"
local sha256 = require "core.sha256"

local actions = require "bittern.compress.actions"
local script = require "bittern.script"

local M = {}

-- What one call of a recipe's function may take.
local LIMITS <const> = { seconds = 5, memory = 256 << 20 }

--- Finds a recipe.
-- @param name or path
-- @param set {argument = value}
-- @return {script, path, args, sha256, name}, or nil, message, code
function M.find(name, set)
  local found, path, code = script.find("recipe", name)
  if not found then return nil, path, code end
  local args, message, id = script.arguments(found, set)
  if not args then return nil, ("recipe %s: %s"):format(name, message), id end
  local hash, why, kind = sha256.file(path)
  if not hash then return nil, why, kind end
  local short = path:match("([^/]*)%.lua$") or path
  return { script = found, path = path, args = args, sha256 = hash, name = short }
end

local function describe(tensor)
  local t = {
    name = tensor.name, rank = #tensor.shape, shape = table.move(tensor.shape, 1, 8, 1, {}),
    dtype = tensor.dtype:lower(), stored = tensor.dtype, parameters = 1,
  }
  for _, size in ipairs(tensor.shape) do t.parameters = t.parameters * size end
  if t.rank == 2 then t.rows, t.cols = t.shape[1], t.shape[2] end
  return t
end

-- The lines of the tensor function: array of {number, text}.
local function lines_of(recipe)
  local info = debug.getinfo(recipe.script.tensor, "S")
  local lines, number = {}, 0
  for text in ((fs.read(recipe.path) or "") .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local inside = number >= info.linedefined and number <= info.lastlinedefined
    if inside then lines[#lines + 1] = { number = number, text = text } end
  end
  return lines, info.linedefined
end

-- The line of the tensor function that holds the first of these words that is there.
local function line_of(recipe, words)
  local lines, first = lines_of(recipe)
  for _, word in ipairs(words) do
    local pattern = "%f[%w_]" .. tostring(word):gsub("%W", "%%%0") .. "%f[^%w_]"
    for _, line in ipairs(lines) do
      if line.text:find(pattern) then return line.number end
    end
  end
  return first
end

local function complain(recipe, t, problem, code)
  local where = (" (tensor '%s')"):format(t.name)
  local placed = type(problem) == "string" and problem:find(":%d+: ")
  if placed then return nil, problem .. where, code or "script" end
  if type(problem) == "string" then
    problem = { message = problem, keys = {}, lines = {} }
  elseif getmetatable(problem) ~= actions.Fault then
    problem = { message = "raised a " .. type(problem), keys = { "error" }, lines = {} }
  end
  local line = problem.lines[recipe.path] or line_of(recipe, problem.keys)
  return nil, ("%s:%d: %s%s"):format(recipe.path, line, problem.message, where), code or "script"
end

local function nonsense(result)
  local text = "tensor must return what ctx.keep, ctx.q4, ctx.lowbit or ctx.block gave for this "
    .. "tensor, not "
  return setmetatable({ message = text .. type(result), keys = {}, lines = {} }, actions.Fault)
end

--- Asks a recipe about one tensor.
-- @param recipe {script, path, args}
-- @param tensor {name, dtype, shape}
-- @param bits the budget's bits a parameter, or nil
-- @param limits {seconds, memory} of one call, or nil for the usual ones
-- @return an item of a plan {name, kind, shape, rows, cols, parameters, stored = dtype, ...}; or
--   nil, message with file and line, "script" or "script_limit"
function M.ask(recipe, tensor, bits, limits)
  local t, seen = describe(tensor), describe(tensor)
  seen.stored = nil
  local ok, result, code = limit.call(limits or LIMITS, recipe.script.tensor,
    actions.context(t, recipe.args, bits), seen)
  if not ok then return complain(recipe, t, result, code) end
  local item = actions.taken(result, t)
  if not item then return complain(recipe, t, nonsense(result)) end
  for key, value in pairs(t) do item[key] = value end
  return item
end

return M
