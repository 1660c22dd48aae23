-- Models from one format into another: safetensors directories and files, GGUF, packed artifacts.
local fs = require "core.fs"

local check = require "bittern.check"
local content = require "bittern.inspect.content"
local describe = require "bittern.convert.describe"
local filled = require "bittern.model.zip.filled"
local models = require "bittern.model"
local placed = require "bittern.model.placed"
local planner = require "bittern.convert.plan"
local safetensors = require "bittern.model.safetensors"
local write = require "bittern.convert.write"
local writer = require "bittern.model.gguf.writer"

local M = {}

local WEIGHTS <const> = "model.safetensors"

--- The codecs that a conversion can ask for.
M.PLAIN = { "f32", "f16", "bf16" }
M.BLOCKS = { "q8_0", "q4_0", "q1_0", "q2_0", "tq1_0", "tq2_0" }

-- Codecs whose scales can be fitted, not only taken as the reference packers do.
local fitted = { q1_0 = true, q2_0 = true, tq1_0 = true, tq2_0 = true }

local function target_of(path)
  if path:find("%.zip$") then return "archive" end
  return path:match("%.(gguf)$") or path:match("%.(safetensors)$") or "directory"
end

-- Whether config.json and its like belong to it.
local function is_folder(target)
  return target == "directory" or target == "archive"
end

local function includes(list, value)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end

local function check_codec(target, to)
  if to == nil or includes(M.PLAIN, to) then return true end
  local all = table.move(M.BLOCKS, 1, #M.BLOCKS, #M.PLAIN + 1, { table.unpack(M.PLAIN) })
  if not includes(all, to) then
    local near = check.nearest(to, all)
    return nil, ("unknown codec '%s'; %s"):format(to, near and ("did you mean '%s'?"):format(near)
      or "it is one of " .. table.concat(all, ", ")), "usage"
  end
  if target == "gguf" then return true end
  return nil, ("safetensors has no %s; give f32, f16 or bf16, or write a .gguf file"):format(to),
    "usage"
end

local function check_ends(model, options, target)
  if fs.realpath(options.out) == fs.realpath(options.input) then
    return nil, options.out .. ": is the model itself; name another place", "usage"
  end
  if is_folder(target) and model.kind == "safetensors" then
    return nil, ("%s: has no config.json, which a directory needs; name a .safetensors or .gguf "
      .. "file"):format(model.path), "usage"
  end
  return true
end

local function bytes_of(work)
  local header, _, total
  if work.target == "gguf" then
    header, _, total = writer.header(work.entries, work.plan)
  else
    header, _, total = safetensors.header(work.plan, { format = "pt" })
  end
  if work.target ~= "archive" then return #header + total end
  return filled.size(WEIGHTS, #header + total, work.files)
end

local function check_room(path, bytes)
  local folder = path:match("^(.*)/[^/]*$") or "."
  local free = fs.disk_free(folder == "" and "/" or folder)
  if free and free < bytes then
    return nil, ("%s: needs %d bytes, %d are free"):format(path, bytes, free), "disk_full"
  end
  return true
end

local function create(path, work, create_gguf)
  if work.target == "gguf" then
    if not create_gguf then return writer.create(path, work.entries, work.plan) end
    local header, order, total = writer.header(work.entries, work.plan)
    return create_gguf(path, { header = header, tensors = order, total = total })
  end
  local header, order, total = safetensors.header(work.plan, { format = "pt" })
  if work.target == "archive" then
    return filled.create(path, WEIGHTS, { header = header, tensors = order, total = total },
      work.files)
  end
  return placed.create(path, header, order, total)
end

local function write_files(dir, files)
  for _, file in ipairs(files) do
    local ok, message, code = fs.write(dir .. "/" .. file.name, file.text)
    if not ok then return nil, message, code end
  end
  return true
end

local function write_all(model, work, options)
  local path = options.out
  if work.target == "directory" then
    local ok, message, code = fs.mkdir(path)
    if not ok then return nil, message, code end
    path = path .. "/" .. WEIGHTS
  end
  local ok, message, code = true, nil, nil
  if not options.create then ok, message, code = check_room(path, work.bytes) end
  if not ok then return nil, message, code end
  local file <close>, why, id = create(path, work, options.create)
  if not file then return nil, why, id end
  local bytes, reason, kind = write.all(file, model, work.plan, options)
  if not bytes then return nil, reason, kind end
  if work.target ~= "directory" then work.sha256 = reason end
  return work.target ~= "directory" or write_files(options.out, work.files)
end

local function prepare(model, options, target)
  local held, message, code = content.of(model)
  if not held then return nil, message, code end
  local plan, why, id = planner.make(model, held, target, options)
  if not plan then return nil, why, id end
  local work = { target = target, plan = plan, files = {} }
  if target == "gguf" then
    work.entries, why, id = describe.entries(model, plan)
    if not work.entries then return nil, why, id end
  elseif is_folder(target) then
    work.files, why, id = describe.files(model, plan)
    if not work.files then return nil, why, id end
  end
  work.bytes = bytes_of(work)
  work.parameters = held.parameters
  return work
end

-- What a caller learns: the plan in plain words.
local function result_of(model, work, options)
  local tensors, kept = {}, 0
  for i, entry in ipairs(work.plan) do
    local item = entry.item
    tensors[i] = { name = entry.name, from = item.name, codec = entry.dtype:lower(),
      stored = item.codec, shape = item.shape }
    if options.to and #entry.shape >= 2 and entry.dtype:lower() ~= options.to then
      kept = kept + 1
    end
  end
  return { out = options.out, format = work.target, bytes = work.bytes, sha256 = work.sha256,
    tensors = tensors, kept = kept, parameters = work.parameters,
    losses = describe.losses(model, work.target) }
end

local schema = {
  input = { type = "string" }, out = { type = "string" },
  to = { type = "string", optional = true },
  keep = { type = "table", optional = true, default = {} },
  fit = { type = "string", optional = true, default = "reference" },
  each = { type = "table", optional = true },
  create = { type = "function", optional = true },
  dry_run = { type = "boolean", optional = true, default = false },
  on_progress = { type = "function", optional = true },
}

--- Converts a model. Without `to`, no number changes.
-- @param options {input = path, out = path: *.gguf, *.safetensors, *.zip or else a directory, to =
--   codec,
--   keep = array of parts of names whose tensors keep their type, fit = "reference" or
--   "least_squares" for block codecs, each = {tensor's name = {to = codec, fit}} for single ones
--   instead of `to`, create = function(path, {header, tensors, total}) that opens a GGUF file in
--   another way than bittern.model.placed, dry_run = true plans only, on_progress = function(done,
--   total) of values}
-- @return {out, format, bytes of weights or of the archive, sha256 where it was made beside the
--   work, parameters, tensors = array of {name, from, codec, stored, shape}, kept = matrices that
--   did not take the codec, losses}, or nil, message, code
-- @usage see examples/gguf.lua
function M.run(options)
  options = check.options(options, schema, "convert.run")
  local target = target_of(options.out)
  local ok, message, code = check_codec(target, options.to)
  if not ok then return nil, message, code end
  if options.fit ~= "reference" and not fitted[options.to] then
    return nil, ("--fit %s goes with --to q1_0, q2_0, tq1_0 or tq2_0"):format(options.fit), "usage"
  end
  local model <close>, why, id = models.open(options.input)
  if not model then return nil, why, id end
  ok, message, code = check_ends(model, options, target)
  if not ok then return nil, message, code end
  local work, reason, kind = prepare(model, options, target)
  if not work then return nil, reason, kind end
  if not options.dry_run then
    ok, message, code = write_all(model, work, options)
    if not ok then return nil, message, code end
  end
  return result_of(model, work, options)
end

return M
