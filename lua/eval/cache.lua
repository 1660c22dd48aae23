-- Scores that were measured before: found by the hashes of artifact and text, and by the settings.
local fs = require "core.fs"
local lfs = require "lfs"
local sha256 = require "core.sha256"

local canonical = require "bittern.canonical"
local json = require "bittern.json"
local pack = require "bittern.artifact.pack"
local paths = require "bittern.paths"

local M = {}

-- Counts up when the same settings give other figures than before.
local REVISION <const> = 1

-- Files of a model directory, as an archive would hold them.
local function files_of(folder)
  local names = {}
  for name in lfs.dir(folder) do
    local mode = lfs.attributes(folder .. "/" .. name, "mode")
    if mode == "file" and not pack.is_skipped(name) then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function digest_folder(folder)
  local lines, total = {}, 0
  for _, name in ipairs(files_of(folder)) do
    local hash, size, code = sha256.file(folder .. "/" .. name)
    if not hash then return nil, size, code end
    lines[#lines + 1], total = ("%s %s"):format(name, hash), total + size
  end
  return sha256.hex(table.concat(lines, "\n")), total
end

-- SHA-256 of a file, or of a directory's names and files; and its bytes.
local function digest(path)
  local info, message, code = fs.stat(path)
  if not info then return nil, message, code end
  if info.type == "directory" then return digest_folder(path) end
  return sha256.file(path)
end

-- A tokenizer that a file describes is another one when the file changes.
local function tokenizer_of(wanted)
  if wanted == "auto" or wanted == "bytes" then return wanted end
  return sha256.file(wanted)
end

--- What makes scores comparable, beside the text.
-- @param options as M.mark takes them
-- @return text that is the same for scores that were made in the same way, or nil, message, code
function M.settings(options)
  local tokenizer, message, code = tokenizer_of(options.tokenizer)
  if not tokenizer then return nil, message, code end
  local mode = options.mode
  return canonical.encode {
    mode = mode, max_tokens = options.max_tokens, tokenizer = tokenizer, revision = REVISION,
    documents = mode == "validator" and options.documents or nil,
    stride = mode == "stride" and (options.stride or options.max_tokens // 2) or nil,
    limit = options.limit, seed = options.seed,
    until_se = options.until_se and ("%.17g"):format(options.until_se),
    exact = options.exact or nil, by_layer = options.by_layer or nil,
  }
end

--- What a score is known by.
-- @param options {model = path, text = string, mode=, documents=, max_tokens=, stride=, limit=,
--   seed=, until_se=, tokenizer=, exact=, reference = path or nil} as bittern.eval.score takes
--   them; by_layer = whether it is the costs of bittern.eval.layers
-- @return {sha256, size = of the model, text = SHA-256, settings = text, file = where the result
--   lies or will}, or nil, message, code
function M.mark(options)
  local settings, message, code = M.settings(options)
  if not settings then return nil, message, code end
  local hash, size, id = digest(options.model)
  if not hash then return nil, size, id end
  local reference, why, what = "", nil, nil
  if options.reference then reference, why, what = digest(options.reference) end
  if not reference then return nil, why, what end
  local text = sha256.hex(options.text)
  local name = sha256.hex(table.concat({ hash, text, settings, reference }, "\n"))
  return { sha256 = hash, size = size, text = text, settings = settings,
    file = ("%s/scores/%s.json"):format(paths.cache(), name) }
end

--- What was kept.
-- @param mark as M.mark gives it
-- @return table, or nil; a file that cannot be read counts for none
function M.read(mark)
  local text = fs.read(mark.file)
  local kept = text and json.decode(text)
  return type(kept) == "table" and kept or nil
end

--- A score that was measured before.
-- @return result of bittern.eval.score, or nil
function M.find(mark)
  local result = M.read(mark)
  if not result or not result.heldout_cross_entropy_nats then return nil end
  if result.reference then json.array(result.reference.worst) end
  return result
end

--- Keeps a score, or costs.
-- @return true, or nil, message, code
function M.keep(mark, result)
  local made, message, code = fs.mkdir(mark.file:match("^(.*)/"))
  if not made then return nil, message, code end
  return fs.write(mark.file, assert(json.encode(result)))
end

return M
