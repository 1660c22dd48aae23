-- The held-out texts of a replay, fetched before its commands run (contract.md 4.5): what stands in
-- the benchmark's environment is written out for it, and rows of the hub's datasets are asked for
-- (bench/rows.lua). The commands see the texts, never where they come from.
local fs = require "core.fs"

local json = require "bittern.json"
local rows = require "bittern.bench.rows"

local M = {}

--- The variable that names the sources: a JSON list, or an object with `documents`.
M.SOURCES = "AUTORESEARCH_HELDOUT_SOURCES_JSON"

local FOLDER <const> = ".autoresearch-heldout"

-- Never shown to what a miner wrote.
local private <const> = {
  M.SOURCES, "HF_TOKEN", "HUGGINGFACE_TOKEN", "AUTORESEARCH_PRIVATE_HELDOUT_HF_TOKEN",
}

-- The texts of one source, appended; or nil, message, code.
local function add(documents, entry, env, server)
  if type(entry) == "string" then entry = { text = entry } end
  if type(entry) ~= "table" then return nil, "is neither a text nor an object" end
  if type(entry.text) == "string" then
    documents[#documents + 1] = { text = entry.text, category = entry.category }
    return true
  end
  local texts, message, code = rows.fetch(entry, env, server)
  if not texts then return nil, message, code end
  for _, text in ipairs(texts) do
    documents[#documents + 1] = { text = text, category = entry.category }
  end
  return true
end

local function documents_of(env, server)
  local value, message = json.decode(env[M.SOURCES])
  if type(value) ~= "table" then return nil, M.SOURCES .. ": " .. (message or "is no list") end
  local documents = json.array {}
  for i, entry in ipairs(value.documents or value) do
    local ok, why, code = add(documents, entry, env, server)
    if not ok then return nil, ("heldout source %d: %s"):format(i, why), code end
  end
  if #documents == 0 then return nil, "no heldout documents" end
  return documents
end

--- Writes the held-out texts into a checkout, when the environment names some.
-- @param folder the checkout
-- @param env {NAME = text}, changed as the benchmark is to see it
-- @param server of datasets, nil for the hub's
-- @return true, or nil, why not, code
function M.prepare(folder, env, server)
  if not env[M.SOURCES] then return true end
  local documents, why, code = documents_of(env, server)
  if not documents then return nil, why, code end
  for _, name in ipairs(private) do env[name] = nil end
  local made, message, id = fs.mkdir(folder .. "/" .. FOLDER)
  if not made then return nil, message, id end
  local done, trouble, kind = fs.write(folder .. "/" .. FOLDER .. "/manifest.json",
    assert(json.encode { documents = documents, metadata = { count = #documents } }))
  if not done then return nil, trouble, kind end
  env.AUTORESEARCH_HELDOUT_DATASET = "validator-private-shard"
  env.AUTORESEARCH_PRIVATE_HELDOUT_MANIFEST = FOLDER .. "/manifest.json"
  env.AUTORESEARCH_PRIVATE_HELDOUT_ROOT = FOLDER
  return true
end

--- Removes them again.
function M.remove(folder)
  fs.remove(folder .. "/" .. FOLDER .. "/manifest.json")
  fs.remove(folder .. "/" .. FOLDER)
end

return M
