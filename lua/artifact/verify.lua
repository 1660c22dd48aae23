-- Whether an artifact will be accepted: the very bytes, the archive, every tensor, both size gates.
local fs = require "core.fs"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local archives = require "bittern.model.archive"
local budget = require "bittern.compress.budget"
local check = require "bittern.check"
local hex = require "bittern.hex"
local http = require "bittern.http"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"
local paths = require "bittern.paths"
local report = require "bittern.report"

local M = {}

-- Size and hash are those that were asked for, where they were.
local function check_bytes(what, found, options)
  if options.size and found.size ~= options.size then
    return nil, ("%s: has %d bytes, not %d"):format(what, found.size, options.size), "integrity"
  end
  local expected = options.sha256 and options.sha256:lower()
  if expected and found.sha256 ~= expected then
    return nil, ("%s: its SHA-256 is %s, not %s"):format(what, found.sha256, expected), "integrity"
  end
  return true
end

-- Reads every entry of the archive through.
local function open_checked(path)
  local folder, message, code = archives.open(path)
  if not folder then return nil, message, code end
  local ok, why, id = folder.check()
  if ok then return folder end
  folder.close()
  return nil, why, id
end

local function check_tensors(path, folder)
  local model <close>, message, code = models.open(path, folder)
  if not model then return nil, message, code end
  local found, why, id = packed.describe(model)
  if not found then return nil, why, id end
  for _, name in ipairs(check.sorted_keys(found.matrices)) do
    local ok, reason, kind = packed.try(model, name, found.matrices[name])
    if not ok then return nil, reason, kind end
  end
  return {
    parameters = found.parameters, matrices = #check.sorted_keys(found.matrices),
    plain = #found.plain,
  }
end

-- The gate that is failed, in words.
local function over(what, result, gates, rate)
  for _, gate in ipairs(gates) do
    if not gate.ok then
      local count = gate.id == "artifact_size" and budget.REFERENCE_PARAMETERS or result.parameters
      return ("%s: %s bytes are %s over the %s that %s parameters may use at %s (%s)"):format(what,
        report.thousands(result.size), report.thousands(gate.over), report.thousands(gate.limit),
        report.thousands(count), budget.name(rate), gate.id)
    end
  end
  return nil
end

local function check_gates(what, result, rate)
  if not rate then return true end
  local gates, message, code = budget.gates(result.size, result.parameters, rate)
  if not gates then return nil, message, code end
  result.gates = gates
  local failed = over(what, result, gates, rate)
  if failed then return nil, failed, "over_budget" end
  return true
end

local function check_contents(path, what, result, options)
  local folder, message, code = open_checked(path)
  if not folder then return nil, message, code end
  result.files = #folder.entries
  local found, why, id = check_tensors(path, folder)
  if not found then return nil, why, id end
  for key, value in pairs(found) do result[key] = value end
  return check_gates(what, result, options.budget)
end

local function verify_file(options)
  local path = options.path
  local info, why, cause = fs.stat(path)
  if not info then return nil, why, cause end
  if info.type == "directory" then
    return nil, path .. ": is a directory; validators download one file: `bittern pack` makes it",
      "archive_format"
  end
  local hash, size, code = sha256.file(path)
  if not hash then return nil, size, code end
  local result = { path = path, size = size, sha256 = hash }
  local ok, message, id = check_bytes(path, result, options)
  if not ok then return nil, message, id end
  if options.contents ~= false then
    ok, message, id = check_contents(path, path, result, options)
    if not ok then return nil, message, id end
  end
  return result
end

local function check_status(url, response)
  local status = response.status
  if status == 200 then return true end
  if status >= 300 and status < 400 then
    return nil, ("%s: answers %d, a redirect to %s; validators follow none"):format(url, status,
      report.clean(response.headers.location or "nowhere")), "redirect"
  end
  return nil, ("%s: answers %d, not 200"):format(url, status), "http_status"
end

-- One GET that follows nothing; each piece goes to the hash and to `keep`.
local function fetch(url, options, keep)
  local hash <close>, size = sha256.new(), 0
  local response, message, code = http.get(url, {
    redirects = 0, timeout = 0, on_progress = options.on_progress,
    sink = function(piece)
      hash:update(piece)
      size = size + #piece
      if keep then return keep(piece) end
      return true
    end,
  })
  if not response then return nil, message, code end
  local ok, why, id = check_status(url, response)
  if not ok then return nil, why, id end
  local found = { url = url, size = size, sha256 = hash:hex() }
  ok, why, id = check_bytes(url, found, options)
  if not ok then return nil, why, id end
  return found
end

-- A name in the cache that nobody else has.
local function temporary()
  local made, message, code = fs.mkdir(paths.cache())
  if not made then return nil, message, code end
  local salt = hex.encode(sys.random(8))
  return ("%s/verify-%s.zip"):format(paths.cache(), salt)
end

-- Fetches to a file, then looks into it.
local function verify_copy(url, path, options)
  local out <close>, message, code = fs.create(path)
  if not out then return nil, message, code end
  local result, why, id = fetch(url, options, function(piece) return out:write(piece) end)
  if not result then return nil, why, id end
  local ok, reason, kind = out:commit()
  if not ok then return nil, reason, kind end
  ok, reason, kind = check_contents(path, url, result, options)
  local removed, fault, fault_code = fs.remove(path)
  if not ok then return nil, reason, kind end
  if not removed then return nil, fault, fault_code end
  return result
end

local function verify_url(options)
  if options.contents == false then return fetch(options.url, options) end
  local path, message, code = temporary()
  if not path then return nil, message, code end
  return verify_copy(options.url, path, options)
end

local schema = {
  path = { type = "string", optional = true }, url = { type = "string", optional = true },
  size = { type = "integer", optional = true }, sha256 = { type = "string", optional = true },
  budget = { type = "any", optional = true }, contents = { type = "boolean", optional = true },
  on_progress = { type = "function", optional = true },
}

--- Verifies an artifact by the rules of validators.
-- @param options {path = file or url = address; size, sha256 = what they must be; budget = rate as
--   budget.rate takes it; contents = false looks at the bytes only; on_progress = for a URL}
-- @return {path or url, size, sha256, files, matrices, plain, parameters, gates}, or nil, message,
--   code: "integrity", "redirect", "http_status", "over_budget", "archive_...", "model_...", ...
function M.run(options)
  options = check.options(options, schema, "verify.run")
  if options.budget then
    local ok, message, code = budget.rate(options.budget)
    if not ok then return nil, message, code end
  end
  if options.url then return verify_url(options) end
  return verify_file(options)
end

return M
