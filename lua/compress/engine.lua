-- Compression of a model by a recipe: plan, measure, choose, write.
local sys = require "core.sys"

local allocate = require "bittern.compress.allocate"
local blocks = require "bittern.compress.blocks"
local check = require "bittern.check"
local journals = require "bittern.compress.journal"
local models = require "bittern.model"
local outputs = require "bittern.compress.output"
local plan = require "bittern.compress.plan"
local prepare = require "bittern.compress.prepare"
local stats = require "bittern.compress.stats"
local summary = require "bittern.compress.summary"
local write = require "bittern.compress.write"

local M = {}

-- Kinds of records in the journal: statistics of a matrix, a tensor that is written.
local STATS <const>, DONE <const> = "S", "D"

-- What one run carries along.
local function begin(model, whole, options)
  local run = { model = model, whole = whole, options = options, stats = {}, done = {},
    threads = options.threads or sys.cores(), read = 0, total = 0, results = {} }
  function run.advance(count)
    run.read = run.read + count
    if options.on_progress then options.on_progress(run.read, run.total) end
  end
  function run.note(text)
    if options.on_note then options.on_note(text) end
  end
  return run
end

local function how_of(run, item)
  return { threads = run.threads, importance = item.importance, into = run.results }
end

-- The matrices that are measured: those whose fate depends on it, and of a plan alone all.
local function to_measure(run)
  local list = {}
  for _, item in ipairs(run.whole.order) do
    local wanted = item.kind == "pack" and run.options.dry_run or stats.is_wanted(item)
    if wanted then list[#list + 1] = item end
  end
  return list
end

local function count_bytes(run, measured)
  local passes = { measured, run.options.dry_run and {} or run.whole.order }
  for _, items in ipairs(passes) do
    for _, item in ipairs(items) do run.total = run.total + run.model:tensor(item.name).size end
  end
end

-- Statistics of a matrix: those of an earlier run, or new ones, which the journal keeps.
local function measure_one(run, item)
  local tensor, message, code = run.model:tensor(item.name)
  if not tensor then return nil, message, code end
  local text = run.stats[item.name]
  run.stats[item.name] = nil
  local found = text and stats.read(text, item)
  if not found then
    found, message, code = stats.matrix(tensor, item, how_of(run, item))
    if not found then return nil, run.model.path .. ": " .. message, code end
    if run.journal then
      local ok, why, id = run.journal:add(STATS .. string.pack("<s4", item.name)
        .. stats.text(found))
      if not ok then return nil, why, id end
    end
  end
  run.advance(tensor.size)
  return { item = item, stats = found }
end

local function choose(run, items)
  local measured = {}
  for i, item in ipairs(items) do
    local entry, message, code = measure_one(run, item)
    if not entry then return nil, message, code end
    measured[i] = entry
  end
  local ok, least = allocate.run(run.whole, measured, run.whole.limit)
  if ok then return true end
  return nil, prepare.over_budget(run.model, run.whole, least)
end

local function pack_done(output, item)
  local parts = { DONE, string.pack("<s4dd", item.name, item.error_after or -1,
    item.norm or -1) }
  for _, stored in ipairs(plan.stored(item)) do
    parts[#parts + 1] = string.pack("<s4I4", stored.name, output.tensors[stored.name].crc32)
  end
  return table.concat(parts)
end

local function read_done(text, at)
  local done = { checksums = {} }
  done.error, done.norm, at = string.unpack("<dd", text, at)
  while at <= #text do
    local one = {}
    one.name, one.crc32, at = string.unpack("<s4I4", text, at)
    table.insert(done.checksums, one)
  end
  return done
end

-- Takes up what the journal of an earlier run says.
local function resume(run, path)
  local message, code
  local key = prepare.key(run.model, run.whole, run.options)
  run.journal, message, code = journals.open(path, key)
  if not run.journal then return nil, message, code end
  if run.journal.changed then
    run.note(("starts over: the %s is another than last time"):format(run.journal.changed))
  end
  for _, text in ipairs(run.journal.records) do
    local name, at = string.unpack("<s4", text, 2)
    if text:sub(1, 1) == STATS then
      run.stats[name] = text:sub(at)
    else
      run.done[name] = read_done(text, at)
    end
  end
  run.fresh = #run.journal.records == 0
  run.journal.records = nil
  return true
end

-- Items that an earlier run wrote whole; from the first that is missing on, all are written.
local function already_there(run, output)
  local count = 0
  for _, item in ipairs(run.whole.order) do
    local done = run.done[item.name]
    if not done or not output:holds(done.checksums) then break end
    if done.norm >= 0 then item.error_after, item.norm = done.error, done.norm end
    count = count + 1
    run.advance(run.model:tensor(item.name).size)
  end
  if count > 0 then
    run.note(("continues: %d of %d tensors are there"):format(count, #run.whole.order))
  end
  return count
end

local function write_all(run, output)
  local ok, message, code = output:begin(run.whole, run.fresh)
  if ok then ok, message, code = write.numbers(output, run.whole.order) end
  if not ok then return nil, message, code end
  run.resumed = already_there(run, output)
  for i = run.resumed + 1, #run.whole.order do
    local item = run.whole.order[i]
    local tensor, why, id = run.model:tensor(item.name)
    if not tensor then return nil, why, id end
    ok, message, code = write.item(output, item, tensor, how_of(run, item))
    if not ok then
      if code == "invalid_model" then message = run.model.path .. ": " .. message end
      return nil, message, code
    end
    ok, message, code = run.journal:add(pack_done(output, item))
    if not ok then return nil, message, code end
    run.advance(tensor.size)
  end
  return output:finish()
end

local function choose_and_write(run, output, items)
  local ok, message, code = choose(run, items)
  if not ok then return nil, message, code end
  run.written, message, code = write_all(run, output)
  return run.written ~= nil, message, code
end

-- What was stopped stays for the next run, but for what would fail again.
local function compress(run)
  local fits, reason, kind = prepare.check_smallest(run.model, run.whole)
  if not fits then return nil, reason, kind end
  local items = to_measure(run)
  count_bytes(run, items)
  if run.options.dry_run then return choose(run, items) end
  local output <close>, message, code = outputs.open(run.options.out, run.whole.files)
  if not output then return nil, message, code end
  local ok, why, id = resume(run, output.path)
  if not ok then return nil, why, id end
  local journal <close> = run.journal
  ok, why, id = choose_and_write(run, output, items)
  if not ok and id ~= "invalid_model" and id ~= "over_budget" then return nil, why, id end
  journal:remove()
  if ok then return true end
  output:discard()
  return nil, why, id
end

local schema = {
  model = { type = "string" }, recipe = { type = "string" },
  out = { type = "string", optional = true }, budget = { type = "any", optional = true },
  set = { type = "table", optional = true }, dry_run = { type = "boolean", optional = true },
  importance = { type = "string", optional = true },
  threads = { type = "integer", optional = true }, limits = { type = "table", optional = true },
  on_progress = { type = "function", optional = true },
  on_note = { type = "function", optional = true },
}

--- Compresses a model. Stopped and started again, it goes on after the last whole tensor.
-- @param options {model = path, recipe = name or path, out = folder, file.zip, or file.gguf for
--   recipes of GGUF blocks, budget = bytes, or a rate as budget.rate takes it, or nil, set =
--   {argument = value}, importance = path, threads = number, dry_run = plan only, limits =
--   {seconds, memory} of a recipe's call, on_progress = function(bytes done, bytes in all),
--   on_note = function(line for people)}
-- @return {plan = array of {name, shape, codec, group, bases, offsets, columns, rescued, bytes,
--   parameters, error_before, error_after, norm}, recipe, recipe_sha256, settings, parameters,
--   bytes = size of the archive that pack will make, budget = bytes or nil, error = relative
--   squared error of all matrices or nil, out, size and sha256 of the file that was written,
--   resumed = tensors that were there}, or nil, message, code
function M.run(options)
  options = check.options(options, schema, "engine.run")
  assert(options.out or options.dry_run, "engine.run: no out")
  local model <close>, message, code = models.open(options.model)
  if not model then return nil, message, code end
  local whole, why, id = prepare.plan(model, options)
  if not whole then return nil, why, id end
  if whole.blocks then return blocks.run(model, whole, options) end
  local run = begin(model, whole, options)
  local ok, reason, kind = compress(run)
  if not ok then return nil, reason, kind end
  return summary.of(run)
end

return M
