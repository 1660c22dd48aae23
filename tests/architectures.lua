-- Small random models of each architecture, and what numpy computes of them from the published
-- equations.
local buffer = require "core.buffer"
local fs = require "core.fs"

local json = require "bittern.json"
local small_model = require "tests.small_model"
local support = require "tests.support"

local M = {}

local function text_of(folder, name)
  return assert(fs.read(folder .. "/" .. name))
end

--- A model that numpy made.
-- @param kind "llama", "gpt2" or "qwen3_5"
-- @param changes {key = value} of its config, or nil
-- @return model directory; tokens; the logits numpy has for them; tensors as small_model.write
--   takes them; config; function(name) -> f32 buffer of the mean of x x^T over tokens, x being what
--   that matrix is multiplied with
function M.made(kind, changes)
  local from = support.folder()
  local done = support.run { "/usr/bin/python3", support.root
    .. "/tests/fixtures/architectures.py", kind, from }
  assert(done.status == 0, done.stderr)
  local config = json.decode(text_of(from, "config.json"))
  for key, value in pairs(changes or {}) do config[key] = value end
  local tensors = {}
  for name, shape in pairs(json.decode(text_of(from, "shapes.json"))) do
    tensors[#tensors + 1] = { name = name, shape = shape, dtype = "F32",
      text = text_of(from, name) }
  end
  local dir = small_model.write(tensors, { config = config })
  return dir, buffer.from("i32", text_of(from, "tokens")),
    buffer.from("f32", text_of(from, "logits")), tensors, config, function(name)
      return buffer.from("f32", text_of(from, name .. ".products"))
    end
end

return M
