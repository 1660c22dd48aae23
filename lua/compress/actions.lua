-- What a recipe can do with a tensor: functions of ctx, which check what they are given and return
-- tokens of what is to be done.
local quant = require "core.quant"

local check = require "bittern.check"
local fault = require("bittern.compress.fault").raise
local layout = require "bittern.artifact.layout"

local M = {}

-- What the functions of ctx returned, by the tokens that recipes see of it: they cannot make or
-- change one by hand.
local made = setmetatable({}, { __mode = "k" })

local packable = { F32 = true, F16 = true, BF16 = true }
local low_codecs = { "b1", "t2", "t5" }
local upgrade_codecs = { "b1", "t2", "t5", layout.RESCUE }
local scales = { "least_squares", "mean_abs" }
local fits = { "reference", "least_squares" }
local kept_dtypes = { "bf16", "f16", "f32" }

local function optional(kind) return { type = kind, optional = true } end

local schemas = {
  keep = { dtype = optional "string" },
  block = { codec = { type = "string" }, fit = optional "string" },
  upgrade = {
    codec = optional "string", scale = optional "string", group = optional "any",
    iterations = optional "integer", rescue = optional "any", bases = optional "integer",
    offsets = optional "boolean", columns = optional "boolean", rescue_most = optional "number",
  },
}
schemas.lowbit = { weight = optional "number", upgrades = optional "table" }
for key, field in pairs(schemas.upgrade) do schemas.lowbit[key] = field end
schemas.lowbit.codec = { type = "string" }

local function one_of(what, value, list)
  for _, known in ipairs(list) do
    if value == known then return value end
  end
  local near = type(value) == "string" and check.nearest(value, list)
  local known = near and ("did you mean '%s'?"):format(near)
    or "known are " .. table.concat(list, ", ")
  fault(("unknown %s '%s'; %s"):format(what, tostring(value), known), what)
end

local function options_of(name, options, schema)
  local ok, message, key = check.table(options == nil and {} or options, schemas[schema or name])
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

--- What a token that a recipe returned stands for.
-- @return the fields that an item of a plan gets, or nil when no function of ctx gave it for `t`
function M.taken(token, t)
  local fields = made[token]
  if not fields or fields.tensor ~= t then return nil end
  fields.tensor = nil
  return fields
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

local function rescue_choice()
  return {
    codec = layout.RESCUE, group = 0, bases = 1, offsets = false, columns = false, rescue = 0,
    scale = scales[1],
  }
end

local function q4(t)
  must_be_matrix(t, "q4")
  return action(t, { kind = "pack", rescued = 0, weight = 1, choices = { rescue_choice() } })
end

-- Rows to rescue: a number, or "budget" for as many as are worth it.
local function rescue_of(t, rescue)
  if rescue == nil then return 0 end
  if type(rescue) == "string" and rescue ~= "budget" then
    fault(("rescue must be a whole number or \"budget\", not %s"):format(rescue), "rescue")
  end
  return rescue == "budget" and rescue or whole("rescue", rescue, 0, t.rows)
end

-- One way of storing a matrix at low bits.
local function choice_of(t, options)
  local group = options.group
  if group == nil or group == "row" then group = t.cols end
  whole("group", group, 1, math.maxinteger)
  local choice = {
    codec = one_of("codec", options.codec, low_codecs), group = group < t.cols and group or 0,
    scale = one_of("scale", options.scale or scales[1], scales),
    iterations = options.iterations and whole("iterations", options.iterations, 1, 1000),
    rescue = rescue_of(t, options.rescue),
    most = math.floor(in_range("rescue_most", options.rescue_most or 1, 0, 1) * t.rows),
    bases = whole("bases", options.bases or 1, 1, layout.MOST_BASES),
    offsets = options.offsets or false, columns = options.columns or false,
  }
  local wrong = layout.fault(choice)
  if wrong then fault("ctx.lowbit: " .. wrong, "offsets", "bases") end
  return choice
end

-- The first options with those of an upgrade laid over them.
local function upgraded(t, options, upgrade)
  options_of("lowbit: upgrades", upgrade, "upgrade")
  if upgrade.codec ~= nil then one_of("codec", upgrade.codec, upgrade_codecs) end
  if upgrade.codec == layout.RESCUE then return rescue_choice() end
  local all = {}
  for key in pairs(schemas.upgrade) do
    all[key] = options[key]
    if upgrade[key] ~= nil then all[key] = upgrade[key] end
  end
  return choice_of(t, all)
end

local function lowbit(t, options)
  must_be_matrix(t, "lowbit")
  options = options_of("lowbit", options)
  local choices = { choice_of(t, options) }
  if next(options.upgrades or {}) and not options.upgrades[1] then
    fault("ctx.lowbit: upgrades must be a list of tables: { { ... } }", "upgrades")
  end
  for _, upgrade in ipairs(options.upgrades or {}) do
    choices[#choices + 1] = upgraded(t, options, upgrade)
  end
  return action(t, {
    kind = "pack", rescued = 0, choices = choices,
    weight = in_range("weight", options.weight or 1, 1e-9, 1e12),
  })
end

-- Codecs made of blocks, as GGUF has them.
local function block_codecs()
  local list = {}
  for name, codec in pairs(quant.codecs()) do
    if codec.block and codec.block > 1 then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

local function block(t, options)
  must_be_matrix(t, "block")
  options = options_of("block", options)
  local codec = one_of("codec", options.codec, block_codecs())
  local values = quant.block(codec)
  if t.cols % values ~= 0 then
    fault(("ctx.block: rows of %d are not whole blocks of %d values; use ctx.keep()"):format(t.cols,
      values), "codec", "block")
  end
  return action(t, { kind = "block", codec = codec,
    fit = one_of("fit", options.fit or fits[1], fits) })
end

--- The functions of ctx for one tensor.
-- @param t the tensor {name, rank, shape, dtype, stored, parameters [, rows, cols]}
-- @return {name = function(options) -> token}
function M.functions(t)
  local functions = {}
  for name, make in pairs { keep = keep, q4 = q4, lowbit = lowbit, block = block } do
    functions[name] = function(options) return make(t, options) end
  end
  return functions
end

return M
