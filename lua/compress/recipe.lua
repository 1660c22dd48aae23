-- Recipes: found, loaded, asked what becomes of each tensor, and answered for every mistake with
-- file and line.
local fs = require "core.fs"
local limit = require "core.limit"
local sha256 = require "core.sha256"

local actions = require "bittern.compress.actions"
local context = require "bittern.compress.context"
local fault = require "bittern.compress.fault"
local sandbox = require "bittern.sandbox"
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

-- Where the tensor function begins and ends.
local function place_of(recipe)
  local session = sandbox.session(recipe.script)
  if session then return table.unpack(session.lines.tensor) end
  local info = debug.getinfo(recipe.script.tensor, "S")
  return info.linedefined, info.lastlinedefined
end

-- The lines of the tensor function: array of {number, text}, and the number of the first.
local function lines_of(recipe)
  local first, last = place_of(recipe)
  local lines, number = {}, 0
  for text in ((fs.read(recipe.path) or "") .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local inside = number >= first and number <= last
    if inside then lines[#lines + 1] = { number = number, text = text } end
  end
  return lines, first
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
  elseif getmetatable(problem) ~= fault.Fault then
    problem = { message = "raised a " .. type(problem), keys = { "error" }, lines = {} }
  end
  local line = problem.lines[recipe.path] or line_of(recipe, problem.keys)
  return nil, ("%s:%d: %s%s"):format(recipe.path, line, problem.message, where), code or "script"
end

local function nonsense(kind)
  local text = "tensor must return what ctx.keep, ctx.q4, ctx.lowbit or ctx.block gave for this "
    .. "tensor, not "
  return setmetatable({ message = text .. kind, keys = {}, lines = {} }, fault.Fault)
end

-- Calls the tensor function, in its sandbox when it has one.
-- Returns true, its result, the result's type; or false, what it raised, code.
local function call(recipe, t, seen, bits, limits)
  local functions, session = actions.functions(t), sandbox.session(recipe.script)
  if session then
    local data = { subject = seen, args = recipe.args, bits = bits }
    return session:call("tensor", functions, data, limits)
  end
  local ctx = context(functions, recipe.args, bits)
  local ok, result, code = limit.call(limits, recipe.script.tensor, ctx, seen)
  return ok, result, ok and type(result) or code
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
  local ok, result, detail = call(recipe, t, seen, bits, limits or LIMITS)
  if not ok then return complain(recipe, t, result, detail) end
  local item = actions.taken(result, t)
  if not item then return complain(recipe, t, nonsense(detail)) end
  for key, value in pairs(t) do item[key] = value end
  return item
end

--- Ends what a recipe lives in, once it is asked no more.
-- @param recipe as M.find gives it
function M.close(recipe)
  local session = sandbox.session(recipe.script)
  if session then session:close() end
end

return M
