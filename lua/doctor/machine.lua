-- What bittern runs on: disk, memory, processor, libraries, locale, proxies, the sandbox.
local fs = require "core.fs"
local quant = require "core.quant"
local kernel = require "core.sandbox"
local sys = require "core.sys"

local command = require "bittern.bench.command"
local errors = require "bittern.errors"
local libraries = require "bittern.libraries"
local memory = require "bittern.memory"
local models = require "bittern.model"
local paths = require "bittern.paths"
local report = require "bittern.report"
local sandbox = require "bittern.sandbox"

local M = {}

local GIB <const> = 1 << 30

local function gib(bytes) return ("%.1f GiB"):format(bytes / GIB) end

-- The folder, or what is there of the way to it.
local function existing(path)
  while not fs.stat(path) and path:find("/[^/]+$") do path = path:gsub("/[^/]+$", "") end
  return path == "" and "/" or path
end

-- A folder and an archive of at most 177/80 bits a parameter, of a model of 16 bits at least.
local function need_for(model)
  local opened <close>, message = models.open(model)
  if not opened then return nil, message end
  local bytes = 0
  for _, file in ipairs(opened:files()) do bytes = bytes + file.bytes end
  return bytes * 177 // (80 * 16) * 2
end

function M.disk(ctx, add)
  local folder = paths.state(ctx.env)
  local free, message = fs.disk_free(existing(folder))
  if not free then return add("bad", message, "check the folder and its file system") end
  local need, why = GIB, nil
  if ctx.args.model then need, why = need_for(ctx.args.model) end
  if not need then return add("bad", why, "name a model directory that `bittern inspect` reads") end
  local text = ("%s free at %s"):format(gib(free), folder)
  if ctx.args.model then
    text = text .. (", %s needed for artifacts of %s"):format(gib(need), ctx.args.model)
  end
  if free >= need then return add("ok", text) end
  add("bad", text, "free some space, or set XDG_STATE_HOME to a folder on a larger disk")
end

function M.memory(_, add)
  local bytes = memory.available()
  local text = gib(bytes) .. " of memory available"
  if bytes >= GIB then return add("ok", text) end
  add("warning", text, "end other programs, or use fewer --threads: models of any size take 1 GiB")
end

function M.cpu(ctx, add)
  local isa, available = quant.isa()
  local text = ("%d cores, kernels %s (available: %s)"):format(sys.cores(), isa,
    table.concat(available, ", "))
  if ctx.env("BITTERN_ISA") and isa ~= available[#available] then
    return add("warning", text .. ", because of BITTERN_ISA", "unset BITTERN_ISA")
  end
  add("ok", text)
end

function M.libraries(_, add)
  local list = {}
  for name, version in pairs(libraries.versions()) do list[#list + 1] = name .. " " .. version end
  table.sort(list)
  add("ok", ("bittern %s, %s"):format(require "bittern.version", table.concat(list, ", ")))
end

function M.locale(ctx, add)
  local name = ctx.env("LC_ALL") or ctx.env("LC_CTYPE") or ctx.env("LANG") or ""
  if name:upper():find("UTF%-?8") then return add("ok", name) end
  local text = name == "" and "no locale is set" or ("locale %s is not UTF-8"):format(name)
  add("warning", text .. ": names that are not ASCII look odd", "export LANG=C.UTF-8")
end

local proxies <const> = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
  "no_proxy", "NO_PROXY" }

function M.proxy(ctx, add)
  local list = {}
  for _, name in ipairs(proxies) do
    local value = ctx.env(name)
    if value and value ~= "" then list[#list + 1] = name .. "=" .. value end
  end
  add("ok", #list > 0 and report.clean(table.concat(list, ", ")) or "none is set")
end

function M.sandbox(_, add)
  local works, message = command.has_sandbox "bwrap"
  if works then return add("ok", "bwrap works: --sandbox bwrap shuts task commands in") end
  add("warning", message, "install bubblewrap to let a task's commands see their checkout alone")
end

-- Landlock's versions differ in what they keep in: 4 knows TCP, 6 signals.
local function layer_text(layer)
  if layer.error ~= 0 then return ("%s (error %d)"):format(layer.name, layer.error) end
  if layer.name ~= "landlock" then return layer.name end
  return ("landlock %d"):format(kernel.landlock_version())
end

-- What a stranger's recipe is kept in by, and what this kernel lacks of it.
function M.scripts(_, add)
  local layers, refused = sandbox.layers()
  if not layers then return add("bad", refused, "run it again when less else runs") end
  local holds, lacks = {}, {}
  for _, layer in ipairs(layers) do
    local list = layer.error == 0 and holds or lacks
    list[#list + 1] = layer_text(layer)
  end
  local text = "strangers' recipes are kept in by " .. table.concat(holds, ", ")
  if refused then return add("warning", refused, errors.next "untrusted") end
  if #lacks == 0 then return add("ok", text) end
  add("warning", text .. "; not here: " .. table.concat(lacks, ", "), "use a newer kernel")
end

return M
