-- The held-out texts of a replay, fetched before its commands run (contract.md 4.5). Texts that the
-- task's environment holds are written out; rows of the datasets server are not asked for here.
local fs = require "core.fs"

local json = require "bittern.json"

local M = {}

local SOURCES <const> = "AUTORESEARCH_HELDOUT_SOURCES_JSON"
local FOLDER <const> = ".autoresearch-heldout"

-- Never shown to what a miner wrote.
local private = {
  SOURCES, "HF_TOKEN", "HUGGINGFACE_TOKEN", "AUTORESEARCH_PRIVATE_HELDOUT_HF_TOKEN",
}

local function document_of(entry)
  if type(entry) == "string" then return { text = entry } end
  if type(entry) == "table" and type(entry.text) == "string" then
    return { text = entry.text, category = entry.category }
  end
  return nil
end

local function documents_of(text)
  local value, message = json.decode(text)
  if type(value) ~= "table" then return nil, SOURCES .. ": " .. (message or "is no list") end
  local list = json.array {}
  for i, entry in ipairs(value.documents or value) do
    list[i] = document_of(entry)
    if not list[i] then
      return nil, ("heldout source %d: practice has no datasets server to ask"):format(i)
    end
  end
  if #list == 0 then return nil, "no heldout documents" end
  return list
end

--- Writes the held-out texts into a checkout, when the environment names some.
-- @param folder the checkout
-- @param env {NAME = text}, changed as the benchmark is to see it
-- @return true, or nil, the validator's words
function M.prepare(folder, env)
  local sources = env[SOURCES]
  if not sources then return true end
  local documents, why = documents_of(sources)
  if not documents then return nil, why end
  for _, name in ipairs(private) do env[name] = nil end
  local root = folder .. "/" .. FOLDER
  local made, message = fs.mkdir(root)
  if not made then return nil, message end
  local done, trouble = fs.write(root .. "/manifest.json",
    assert(json.encode { documents = documents, metadata = { count = #documents } }))
  if not done then return nil, trouble end
  env.AUTORESEARCH_HELDOUT_DATASET = "validator-private-shard"
  env.AUTORESEARCH_PRIVATE_HELDOUT_MANIFEST = FOLDER .. "/manifest.json"
  env.AUTORESEARCH_PRIVATE_HELDOUT_ROOT = FOLDER
  return true
end

return M
