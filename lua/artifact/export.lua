-- A packed artifact in other people's forms: a dense archive, or a GGUF file for llama.cpp.
local quant = require "core.quant"

local check = require "bittern.check"
local convert = require "bittern.convert"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"

local M = {}

-- Block codecs that hold our codes exactly, the smaller first: each block's one scale is ours.
local exact = { b1 = { "q1_0" }, t5 = { "tq1_0", "q2_0" }, t2 = { "tq2_0", "q2_0" }, q4 = {} }

-- Whether a block of so many values never spans two scales of a row.
local function fits(m, block)
  return m.shape[2] % block == 0 and m.group % block == 0
end

--- The GGUF type that a packed matrix becomes.
-- @param m as packed.describe has it
-- @return codec, whether it loses nothing
function M.gguf_type(m)
  local plain = m.rescued == 0 and m.bases == 1 and not m.offsets and not m.columns
  for _, codec in ipairs(plain and exact[m.codec] or {}) do
    if fits(m, (quant.block(codec))) then return codec, true end
  end
  return m.shape[2] % quant.block "q8_0" == 0 and "q8_0" or "f16", false
end

local function gguf_types(dir)
  local model <close>, message, code = models.open(dir)
  if not model then return nil, message, code end
  local found, why, id = packed.describe(model)
  if not found then return nil, why, id end
  local each, rounded = {}, {}
  for _, name in ipairs(check.sorted_keys(found.matrices)) do
    local codec, is_exact = M.gguf_type(found.matrices[name])
    each[name] = { to = codec }
    if not is_exact then rounded[#rounded + 1] = { name = name, codec = codec } end
  end
  return each, rounded
end

--- Writes a GGUF file for llama.cpp: matrices keep their codes where a block codec holds them
-- exactly, and are rounded to q8_0 or f16 where none does.
-- @param options {dir, out = path that ends in .gguf, on_progress}
-- @return {path, size, matrices = number, rounded = array of {name, codec}, losses = array of
--   lines}, or nil, message, code
function M.gguf(options)
  if not options.out:find("%.gguf$") then
    return nil, options.out .. ": the name of a GGUF file ends in .gguf", "usage"
  end
  local each, rounded, code = gguf_types(options.dir)
  if not each then return nil, rounded, code end
  local done, message, id = convert.run { input = options.dir, out = options.out, each = each,
    on_progress = options.on_progress }
  if not done then return nil, message, id end
  return { path = done.out, size = done.bytes, matrices = #check.sorted_keys(each),
    rounded = rounded, losses = done.losses }
end

--- Writes an archive of a plain Hugging Face directory, which needs no loader.
-- @param options {dir, out = path that ends in .zip, dtype = "bf16"|"f16"|"f32", on_progress}
-- @return {path, size, sha256, files = number}, or nil, message, code
function M.dense(options)
  if not options.out:find("%.zip$") then
    return nil, options.out .. ": the name of a dense archive ends in .zip", "usage"
  end
  local done, message, code = convert.run { input = options.dir, out = options.out,
    to = options.dtype, on_progress = options.on_progress }
  if not done then return nil, message, code end
  return { path = done.out, size = done.bytes, sha256 = done.sha256 }
end

return M
