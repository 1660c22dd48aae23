-- Whether an artifact will be accepted, check by check as validators go: the very bytes, the
-- archive, one config.json, a loader, every tensor, the parameters and both size gates.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local archives = require "bittern.model.archive"
local budget = require "bittern.compress.budget"
local check = require "bittern.check"
local fetched = require "bittern.artifact.fetched"
local layout = require "bittern.artifact.layout"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"
local report = require "bittern.report"

local M = {}

-- A validator refuses a model of more parameters (contract 6.2).
local MOST_PARAMETERS <const> = 16 * budget.REFERENCE_PARAMETERS

-- What is asked, in order. A stop that leaves nothing to look at skips what follows.
local order = {
  "bytes", "size", "sha256", "archive", "config", "model", "tensors", "loader", "parameters",
  "artifact_size", "quantized_size",
}

local thousands = report.thousands

-- Notes one check; `text` says what was found.
local function pass(run, id, text)
  run.checks[id] = { id = id, state = "pass", text = text }
  return true
end

local function stop(run, id, message, code)
  run.checks[id] = { id = id, state = "stop", text = message, code = code }
  return nil
end

local function check_bytes(run)
  local options, result = run.options, run.result
  local size, expected = result.size, options.sha256 and options.sha256:lower()
  if options.size and size ~= options.size then
    stop(run, "size", ("%s: has %d bytes, not %d"):format(run.what, size, options.size),
      "integrity")
  else
    pass(run, "size", thousands(size) .. " bytes" .. (options.size and ", as said" or ""))
  end
  if expected and result.sha256 ~= expected then
    return stop(run, "sha256", ("%s: its SHA-256 is %s, not %s"):format(run.what, result.sha256,
      expected), "integrity")
  end
  return pass(run, "sha256", result.sha256 .. (expected and ", as said" or ""))
end

-- Opens the archive by the rules of validators and reads every entry through.
local function open_archive(run, path)
  local folder, message, code = archives.open(path)
  if not folder and code == "archive_config" then
    pass(run, "archive", "can be read")
    return stop(run, "config", message, code)
  end
  if not folder then return stop(run, "archive", message, code) end
  local ok, why, id = folder.check()
  if not ok then
    folder.close()
    return stop(run, "archive", why, id)
  end
  run.result.files = #folder.entries
  pass(run, "archive", ("%d files, each whole"):format(#folder.entries))
  pass(run, "config", "exactly one config.json")
  return folder
end

-- What transformers needs to load packed weights; dense ones need nothing.
local function check_loader(run, model)
  if (model.metadata or {}).format ~= layout.FORMAT then
    return pass(run, "loader", "none needed: the weights are dense")
  end
  local map = model.config.auto_map
  local class = type(map) == "table" and map.AutoModelForCausalLM
  local file = type(class) == "string" and class:match("^([%w_]+)%.[%w_]+$")
  if not file then
    return stop(run, "loader", run.what .. ": its weights are packed, but config.json names no "
      .. "loader in auto_map.AutoModelForCausalLM", "invalid_artifact")
  end
  if not model:has(file .. ".py") then
    return stop(run, "loader", ("%s: config.json names the loader %s.py, which is not there")
      :format(run.what, file), "invalid_artifact")
  end
  if type(model.config.architectures) ~= "table" or #model.config.architectures == 0 then
    return stop(run, "loader", run.what .. ": config.json names no architectures, which the loader "
      .. "builds", "invalid_artifact")
  end
  return pass(run, "loader", file .. ".py")
end

-- Decodes every packed matrix.
local function check_tensors(run, model)
  local found, message, code = packed.describe(model)
  if not found then return stop(run, "tensors", message, code) end
  local names = check.sorted_keys(found.matrices)
  for _, name in ipairs(names) do
    local ok, why, id = packed.try(model, name, found.matrices[name])
    if not ok then return stop(run, "tensors", why, id) end
  end
  run.result.matrices, run.result.plain = #names, #found.plain
  pass(run, "tensors", ("%d packed matrices decode, %d plain tensors"):format(#names,
    #found.plain))
  return found.parameters
end

local function check_parameters(run, count)
  run.result.parameters = count
  if count < 1 or count > MOST_PARAMETERS then
    return stop(run, "parameters", ("%s: has %s parameters; validators take 1 to %s"):format(
      run.what, thousands(count), thousands(MOST_PARAMETERS)), "invalid_artifact")
  end
  return pass(run, "parameters", ("%s, %.4f bits each"):format(thousands(count),
    run.result.size * 8 / count))
end

-- Both size gates, in bytes.
local function check_gates(run, parameters)
  local rate, size = run.options.budget, run.result.size
  if not rate then return true end
  local gates = assert(budget.gates(size, parameters, rate))
  run.result.gates = gates
  for _, gate in ipairs(gates) do
    local count = gate.id == "artifact_size" and budget.REFERENCE_PARAMETERS or parameters
    if gate.ok then
      pass(run, gate.id, ("%.2f %% of the %s bytes that %s parameters may use at %s"):format(
        100 * size / gate.limit, thousands(gate.limit), thousands(count), budget.name(rate)))
    else
      stop(run, gate.id, ("%s: %s bytes are %s over the %s that %s parameters may use at %s (%s)")
        :format(run.what, thousands(size), thousands(gate.over), thousands(gate.limit),
          thousands(count), budget.name(rate), gate.id), "over_budget")
    end
  end
end

local function check_contents(run, path)
  local folder = open_archive(run, path)
  if not folder then return end
  local model <close>, message, code = models.open(path, folder)
  if not model then return stop(run, "model", message, code) end
  pass(run, "model", ("%s, %d tensors"):format(model.config.model_type or "no model_type",
    #model.names))
  check_loader(run, model)
  local parameters = check_tensors(run, model)
  if not parameters then return end
  check_parameters(run, parameters)
  check_gates(run, parameters)
end

local function check_file(run)
  local path = run.options.path
  local info, message, code = fs.stat(path)
  if not info then return stop(run, "bytes", message, code) end
  if info.type == "directory" then
    return stop(run, "bytes", path .. ": is a directory; validators download one file: "
      .. "`bittern pack` makes it", "archive_format")
  end
  local hash, size, id = sha256.file(path)
  if not hash then return stop(run, "bytes", size, id) end
  run.result.size, run.result.sha256 = size, hash
  pass(run, "bytes", path)
  check_bytes(run)
  if run.options.contents ~= false then check_contents(run, path) end
end

local function check_url(run)
  local options = run.options
  local fetch = options.contents == false and fetched.get or fetched.copy
  local found, message, code = fetch(options.url, options)
  if not found then return stop(run, "bytes", message, code) end
  run.result.size, run.result.sha256 = found.size, found.sha256
  pass(run, "bytes", "one GET, no redirect")
  check_bytes(run)
  if not found.path then return end
  check_contents(run, found.path)
  local removed, why, id = fs.remove(found.path)
  if not removed then stop(run, "bytes", why, id) end
end

-- The checks in order; those that nobody came to are skipped.
local function conclude(run)
  local result, list = run.result, {}
  for _, id in ipairs(order) do
    local gate = id == "artifact_size" or id == "quantized_size"
    local asked = run.options.contents ~= false or id == "bytes" or id == "size" or id == "sha256"
    list[#list + 1] = run.checks[id] or { id = id, state = "skip",
      text = gate and not run.options.budget and "no budget was given"
        or not asked and "not asked" or "nothing to look at" }
    local failed = list[#list].state == "stop"
    result.first = result.first or failed and list[#list] or nil
  end
  result.checks, result.ok = list, result.first == nil
  return result
end

local schema = {
  path = { type = "string", optional = true }, url = { type = "string", optional = true },
  size = { type = "integer", optional = true }, sha256 = { type = "string", optional = true },
  budget = { type = "any", optional = true }, contents = { type = "boolean", optional = true },
  on_progress = { type = "function", optional = true },
}

--- Makes every check of an artifact that can be made.
-- @param options {path = file or url = address; size, sha256 = what they must be; budget = rate as
--   budget.rate takes it; contents = false looks at the bytes only; on_progress = for a URL}
-- @return {ok, first = the first check that stops, checks = array of {id, state =
--   "pass"|"stop"|"skip", text, code}, path or url, size, sha256, files, matrices, plain,
--   parameters, gates}; or nil, message, code for a budget that is none
function M.checks(options)
  options = check.options(options, schema, "verify.checks")
  if options.budget then
    local ok, message, code = budget.rate(options.budget)
    if not ok then return nil, message, code end
  end
  local run = { options = options, checks = {}, what = options.url or options.path,
    result = { path = options.path, url = options.url } }
  if options.url then check_url(run) else check_file(run) end
  return conclude(run)
end

--- Verifies an artifact: what M.checks found, or the first stop.
-- @param options as M.checks
-- @return as M.checks, or nil, message, code: "integrity", "redirect", "http_status",
--   "over_budget", "invalid_artifact", "archive_...", "model_...", ...
function M.run(options)
  local result, message, code = M.checks(options)
  if not result then return nil, message, code end
  if result.ok then return result end
  return nil, result.first.text, result.first.code
end

return M
