-- Asks a recipe what becomes of each tensor, and answers for every mistake with file and line.
local fs = require "core.fs"

local check = require "bittern.check"

local M = {}

-- What the functions of ctx returned, by the tokens that recipes see of it: they cannot make or
-- change one by hand.
local made = setmetatable({}, { __mode = "k" })
-- A recipe's mistake, on its way to the handler that knows the recipe's lines.
local Fault = { __name = "fault" }

local packable = { F32 = true, F16 = true, BF16 = true }
local low_codecs = { "b1", "t2", "t5" }
local scales = { "least_squares", "mean_abs" }
local kept_dtypes = { "bf16", "f16", "f32" }

local schemas = {
  keep = { dtype = { type = "string", optional = true } },
  lowbit = {
    codec = { type = "string" }, scale = { type = "string", optional = true },
    group = { type = "any", optional = true }, rescue = { type = "any", optional = true },
    iterations = { type = "integer", optional = true },
    weight = { type = "number", optional = true },
  },
}

-- Raises a mistake and notes where every file on the stack was: the handler picks the recipe's.
local function fault(message, ...)
  local lines = {}
  for level = 8, 2, -1 do
    local info = debug.getinfo(level, "Sl")
    if info and info.currentline > 0 then lines[info.source:sub(2)] = info.currentline end
  end
  error(setmetatable({ message = message, keys = { ... }, lines = lines }, Fault), 0)
end

local function one_of(what, value, list)
  for _, known in ipairs(list) do
    if value == known then return value end
  end
  local near = type(value) == "string" and check.nearest(value, list)
  local known = near and ("did you mean '%s'?"):format(near)
    or "known are " .. table.concat(list, ", ")
  fault(("unknown %s '%s'; %s"):format(what, tostring(value), known), what)
end

local function options_of(name, options)
  local ok, message, key = check.table(options == nil and {} or options, schemas[name])
  if not ok then fault(("ctx.%s: %s"):format(name, message), key, name) end
  return options or {}
end

local function in_range(key, value, low, high)
  local ok = type(value) == "number" and value >= low and value <= high
  if ok then return value end
  fault(("%s must lie in %s..%s, not be %s"):format(key, low, high, tostring(value)), key)
end

local function whole(key, value, low, high)
  if math.type(value) ~= "integer" then
    fault(("%s must be a whole number, not %s"):format(key, tostring(value)), key)
  end
  return in_range(key, value, low, high)
end

local function must_be_matrix(t, name)
  if t.rank == 2 and packable[t.stored] and t.parameters > 0 then return end
  fault(("ctx.%s: only matrices of f32, f16 or bf16 are packed, this is %s [%s]; use ctx.keep()")
    :format(name, t.dtype, table.concat(t.shape, ", ")))
end

local function action(t, fields)
  local token = setmetatable({}, { __name = "action", __metatable = false })
  fields.tensor = t
  made[token] = fields
  return token
end

local function keep(t, options)
  options = options_of("keep", options)
  local dtype = options.dtype
  if dtype then
    one_of("dtype", dtype, kept_dtypes)
    if not packable[t.stored] then fault("ctx.keep: " .. t.dtype .. " stays as it is", "dtype") end
  end
  return action(t, { kind = "keep", store = dtype and dtype:upper() or t.stored })
end

local function q4(t)
  must_be_matrix(t, "q4")
  return action(t, {
    kind = "pack", codec = "q4", group = 0, rescued = 0, rescue = 0, weight = 1,
    scale = "least_squares", iterations = 8,
  })
end

local function lowbit(t, options)
  must_be_matrix(t, "lowbit")
  options = options_of("lowbit", options)
  local group, rescue = options.group, options.rescue
  if group == nil or group == "row" then group = t.cols end
  if rescue == nil then rescue = 0 end
  if type(rescue) == "string" and rescue ~= "budget" then
    fault(("rescue must be a whole number or \"budget\", not %s"):format(rescue), "rescue")
  end
  if rescue ~= "budget" then whole("rescue", rescue, 0, t.rows) end
  whole("group", group, 1, math.maxinteger)
  return action(t, {
    kind = "pack", codec = one_of("codec", options.codec, low_codecs),
    scale = one_of("scale", options.scale or "least_squares", scales),
    group = group < t.cols and group or 0, rescue = rescue, rescued = 0,
    iterations = whole("iterations", options.iterations or 8, 1, 1000),
    weight = in_range("weight", options.weight or 1, 1e-9, 1e9),
  })
end

-- Text found anywhere in the name; * stands for any characters.
local function match(name, patterns)
  if type(patterns) == "string" then
    local list = {}
    for word in patterns:gmatch("[^,]+") do list[#list + 1] = word end
    patterns = list
  end
  if type(patterns) ~= "table" then fault("ctx.match: patterns must be a text or a list") end
  for _, pattern in ipairs(patterns) do
    local lua_pattern = tostring(pattern):gsub("%W", "%%%0"):gsub("%%%*", ".*")
    if tostring(name):find(lua_pattern) then return true end
  end
  return false
end

-- Reading a field that is not there is a slip of the hand.
local function strict(what, fields)
  return setmetatable({}, {
    __metatable = false,
    __index = function(_, key)
      local value = fields[key]
      if value ~= nil then return value end
      local near = check.nearest(tostring(key), check.sorted_keys(fields))
      fault(("%s has no '%s'%s"):format(what, tostring(key),
        near and ("; did you mean '%s'?"):format(near) or ""), key)
    end,
    __newindex = function(_, key)
      fault(("%s.%s cannot be set"):format(what, tostring(key)), key)
    end,
    __pairs = function() return pairs(fields) end,
  })
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

-- What a recipe sees beside the tensor.
local function context(t, args, budget)
  return strict("ctx", {
    args = strict("ctx.args", args),
    bits = budget or false,
    match = match,
    keep = function(options) return keep(t, options) end,
    q4 = function() return q4(t) end,
    lowbit = function(options) return lowbit(t, options) end,
    error = function(message) fault(tostring(message)) end,
  })
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

local function complain(recipe, t, problem)
  local where = (" (tensor '%s')"):format(t.name)
  if type(problem) == "string" then return nil, problem .. where, "script" end
  if getmetatable(problem) ~= Fault then
    problem = { message = "raised a " .. type(problem), keys = { "error" }, lines = {} }
  end
  local line = problem.lines[recipe.path] or line_of(recipe, problem.keys)
  return nil, ("%s:%d: %s%s"):format(recipe.path, line, problem.message, where), "script"
end

local function nonsense(result)
  local text = "tensor must return what ctx.keep, ctx.q4 or ctx.lowbit gave for this tensor"
  return setmetatable({ message = text .. ", not " .. type(result), keys = {}, lines = {} }, Fault)
end

--- Asks a recipe about one tensor.
-- @param recipe {script, path, args}
-- @param tensor {name, dtype, shape}
-- @param bits the budget's bits a parameter, or nil
-- @return an item of a plan {name, kind, shape, rows, cols, parameters, stored = dtype, ...}; or
--   nil, message with file and line, "script"
function M.ask(recipe, tensor, bits)
  local t, seen = describe(tensor), describe(tensor)
  seen.stored = nil
  local ok, result = pcall(recipe.script.tensor, context(t, recipe.args, bits), seen)
  if not ok then return complain(recipe, t, result) end
  local item = made[result]
  if not item or item.tensor ~= t then return complain(recipe, t, nonsense(result)) end
  item.tensor = nil
  for key, value in pairs(t) do item[key] = value end
  return item
end

return M
