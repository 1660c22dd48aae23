-- Calibration: how strongly a text excites each column that a matrix reads (the mean of squares
-- over tokens), and on request every pair of columns, for recipes that weigh errors by it.
local buffer = require "core.buffer"
local forward = require "core.forward"
local fs = require "core.fs"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local check = require "bittern.check"
local documents = require "bittern.eval.documents"
local importance = require "bittern.compress.importance"
local inputs = require "bittern.calibrate.inputs"
local json = require "bittern.json"
local load = require "bittern.eval.load"
local memory = require "bittern.memory"
local models = require "bittern.model"
local placed = require "bittern.model.placed"
local safetensors = require "bittern.model.safetensors"
local state = require "bittern.calibrate.state"
local vocabulary = require "bittern.eval.vocabulary"

local M = {}

local FLOAT <const> = 4

-- Room for the products of those layers that are wanted, in order, as far as the memory goes.
local function give_products(run)
  local left = run.options.memory or memory.available() // 2
  for _, input in ipairs(run.inputs) do
    local size = input.columns * input.columns * FLOAT
    if run.options.layers and not run.options.layers[input.layer or "head"] then
      run.without[#run.without + 1] = { name = input.names[1], why = "not among --layers" }
    elseif size > left then
      run.without[#run.without + 1] = { name = input.names[1], why = "no memory", bytes = size }
    else
      input.products, left = buffer.new("f32", input.columns * input.columns), left - size
    end
  end
end

local function give_sums(run)
  for _, input in ipairs(run.inputs) do input.squares = buffer.new("f64", input.columns) end
  if run.options.hessian then give_products(run) end
end

-- What core.forward adds to.
local function wanted_of(run)
  local list = {}
  for i, input in ipairs(run.inputs) do
    list[i] = { weight = input.names[1], squares = input.squares, products = input.products }
  end
  return list
end

-- Everything that the sums depend on.
local function key_of(run, model)
  local o = run.options
  return table.concat({ model:stamp(), sha256.hex(o.text), o.documents, o.max_tokens,
    o.limit or "all", o.seed or "first", o.tokenizer }, "\n")
end

local function collect(run)
  local wanted, total = wanted_of(run), 0
  for i, document in ipairs(run.list) do
    total = total + (i > run.done and #document.tokens or 0)
  end
  local before = run.tokens
  for i = run.done + 1, #run.list do
    local tokens = run.list[i].tokens
    local ok, message, code = run.runnable:collect(tokens, wanted, run.options.threads)
    if not ok then return nil, run.read.path .. ": " .. message, code end
    run.tokens = run.tokens + #tokens
    if run.state then
      local kept, why, id = run.state:keep(run.inputs, i, run.tokens)
      if not kept then return nil, why, id end
    end
    run.options.on_progress(run.tokens - before, total)
  end
  return true
end

-- Means over tokens, to the power that is asked for.
local function means(input, tokens, power)
  local out = buffer.new("f32", input.columns)
  for i = 0, input.columns - 1 do out:set(i, (input.squares:get(i) / tokens) ^ power) end
  return out
end

-- The file's tensors, and which matrix reads which of the large ones.
local function contents(run)
  local entries, values, readers = {}, {}, {}
  local function add(name, shape, numbers)
    entries[#entries + 1], values[name] = { name = name, dtype = "F32", shape = shape }, numbers
  end
  for _, input in ipairs(run.inputs) do
    local squares = means(input, run.tokens, run.options.power)
    for _, name in ipairs(input.names) do add(name, { input.columns }, squares) end
    if input.products then
      local name = input.names[1] .. importance.HESSIAN
      forward.finish(input.products, input.columns, run.tokens)
      add(name, { input.columns, input.columns }, input.products)
      for _, reader in ipairs(input.names) do readers[reader] = name end
    end
  end
  return entries, values, readers
end

local function write(run)
  local entries, values, readers = contents(run)
  local metadata = { format = "bittern_importance", version = "1", text = sha256.hex(
    run.options.text), tokens = ("%d"):format(run.tokens), documents = ("%d"):format(#run.list),
    power = ("%.17g"):format(run.options.power),
    hessians = next(readers) and assert(json.encode(readers)) or nil }
  local header, order, total = safetensors.header(entries, metadata)
  local file, message, code = placed.create(run.options.out, header, order, total)
  if not file then return nil, message, code end
  for _, tensor in ipairs(order) do
    local ok, why, id = file:put(tensor.name, values[tensor.name], tensor.size)
    if not ok then return nil, why, id end
  end
  return file:commit()
end

-- Tokens first, since weights take long.
local function prepare(model, options)
  local run = { options = options, done = 0, tokens = 0, without = {} }
  local message, code
  run.tokenizer, message, code = vocabulary.choose(model, options.tokenizer)
  if not run.tokenizer then return nil, message, code end
  options.mode = "validator"
  run.list, run.available, code = documents.of(options.text, run.tokenizer, options)
  if not run.list then return nil, run.available, code end
  run.read, message, code = load.read(model)
  if not run.read then return nil, message, code end
  local ok, why, id = documents.check(run.list, run.tokenizer, run.read)
  if not ok then return nil, model.path .. ": " .. why, id end
  run.runnable, message, code = load.start(run.read, { exact = true })
  if not run.runnable then return nil, message, code end
  return run
end

-- The matrices that nothing is known of, and why; then those without products.
local function left_out(found, run)
  local list = json.array {}
  for _, name in ipairs(check.sorted_keys(found.left_out)) do
    list[#list + 1] = { name = name, why = found.left_out[name] }
  end
  return list, json.array(run.without)
end

-- That a file cannot be written there shall not be learned after hours.
local function check_place(out)
  local file, message, code = fs.create(out)
  if not file then return nil, message, code end
  file:close()
  return true
end

-- What was measured, for the caller.
local function result_of(run, size, found, resumed)
  local names, hessians = 0, 0
  for _, input in ipairs(run.inputs) do
    names, hessians = names + #input.names, hessians + (input.products and 1 or 0)
  end
  local missing, without = left_out(found, run)
  return { out = run.options.out, bytes = size, tokens = run.tokens, documents = #run.list,
    all_documents = run.available, tokenizer = run.tokenizer.name, matrices = names,
    hessians = hessians, resumed = resumed, left_out = missing, without_hessian = without }
end

local function measure(model, options)
  local ok, why, id = check_place(options.out)
  if not ok then return nil, why, id end
  local run, message, code = prepare(model, options)
  if not run then return nil, message, code end
  local found = inputs.of(run.read.description)
  run.inputs = found.inputs
  give_sums(run)
  if not options.hessian then
    run.state = state.new(options.out, key_of(run, model), options.every)
    run.done, run.tokens = run.state:load(run.inputs)
  end
  local resumed = run.done
  ok, why, id = collect(run)
  if not ok then return nil, why, id end
  local size
  size, message, code = write(run)
  if not size then return nil, message, code end
  if run.state then run.state:remove() end
  return result_of(run, size, found, resumed)
end

local schema = {
  model = { type = "string" }, text = { type = "string" }, out = { type = "string" },
  documents = { type = "string", optional = true, default = "tokens" },
  max_tokens = { type = "integer", optional = true, default = 512 },
  limit = { type = "integer", optional = true }, seed = { type = "integer", optional = true },
  tokenizer = { type = "string", optional = true, default = "auto" },
  threads = { type = "integer", optional = true },
  hessian = { type = "boolean", optional = true }, layers = { type = "table", optional = true },
  memory = { type = "integer", optional = true },
  power = { type = "number", optional = true, default = 1 },
  every = { type = "number", optional = true, default = 20 },
  on_progress = { type = "function", optional = true },
}

--- Measures what a text excites, and writes it. A run that was stopped goes on where it was, within
-- the last seconds; with products it begins again, since they are too many to be kept aside.
-- @param options {model = path, text = string, out = path of the safetensors file, documents,
--   max_tokens, limit, seed, tokenizer, threads: as bittern.eval.score takes them, hessian = also
--   the means of products of pairs of columns, layers = set of numbers and "head" of those (else
--   all), memory = bytes they may take (else half of what there is), power = of the means as they
--   are written (1), every = seconds of work that
--   may be lost (20), on_progress = function(done, total) of tokens}
-- @return {out, bytes, tokens, documents, all_documents, tokenizer, matrices, hessians = how many,
--   resumed = documents of an earlier run, left_out and without_hessian = arrays of {name, why,
--   bytes = that there was no memory for}}, or nil, message, code
-- @usage see lua/cmd/calibrate.lua
function M.run(options)
  options = check.options(options, schema, "calibrate.run")
  options.threads = math.max(1, options.threads or sys.cores())
  options.on_progress = options.on_progress or function() end
  local model <close>, message, code = models.open(options.model)
  if not model then return nil, message, code end
  return measure(model, options)
end

return M
