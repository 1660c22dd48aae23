-- What an artifact holds beside its weights: config, loader, and the base model's tokenizer.
local fs = require "core.fs"

local canonical = require "bittern.canonical"
local layout = require "bittern.artifact.layout"
local paths = require "bittern.paths"

local M = {}

local LOADER <const> = "modeling_bittern.py"

-- What a base model's folder may hold beside its weights that whoever loads the artifact needs.
local side_files <const> = {
  "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "vocab.txt",
  "merges.txt", "special_tokens_map.json", "added_tokens.json", "spiece.model",
  "generation_config.json", "chat_template.jinja", "chat_template.json",
}

-- The base model's config, which says how the artifact is loaded, too.
local function config_text(model, recipe)
  local text, message, code = model:file("config.json")
  if not text then return nil, message, code end
  local config, why, id = canonical.decode(text)
  if not config then return nil, ("%s: config.json: %s"):format(model.path, why), id end
  if config.auto_map then
    return nil, model.path .. ": its config.json has an auto_map; models that bring their own code "
      .. "cannot be packed", "invalid_model"
  end
  config.auto_map = { AutoModelForCausalLM = "modeling_bittern.BitternForCausalLM" }
  config.bittern = { format = layout.FORMAT, version = layout.VERSION, recipe = recipe }
  return canonical.encode(config)
end

--- Adds the base model's tokenizer and other side files.
-- @param model an open model
-- @param files array of {name, text}, added to
-- @return files, or nil, message, code
function M.add_side_files(model, files)
  for _, name in ipairs(side_files) do
    if model:has(name) then
      local text, message, code = model:file(name)
      if not text then return nil, message, code end
      files[#files + 1] = { name = name, text = text }
    end
  end
  return files
end

--- What lies beside the weights in an artifact.
-- @param model the open base model
-- @param recipe string, the recipe's name
-- @return array of {name, text}, or nil, message, code
function M.files(model, recipe)
  local config, message, code = config_text(model, recipe)
  if not config then return nil, message, code end
  local loader, why, id = fs.read(paths.root() .. "/lua/artifact/loader/" .. LOADER)
  if not loader then return nil, why, id end
  return M.add_side_files(model, {
    { name = "config.json", text = config }, { name = LOADER, text = loader },
  })
end

return M
