-- bittern inspect PATH: what a model on disk holds, and what is wrong with it.
local text = require "bittern.inspect.text"

local WIDTH <const> = 80

local kinds = {
  directory = "Hugging Face directory", archive = "archive", gguf = "GGUF",
  safetensors = "safetensors file",
}

local function bits_text(bits)
  return type(bits) == "number" and ("%.4f"):format(bits) or ""
end

-- A codec and what goes with it: "t5/128 +offsets" has a scale for 128 columns and offsets, "b1 x2
-- +columns" two bases and scales of columns.
local function codec_text(tensor)
  local group = (tensor.group or 0) > 0 and "/" .. tensor.group or ""
  local bases = (tensor.bases or 1) > 1 and " x" .. tensor.bases or ""
  return ("%s%s%s%s%s"):format(tensor.codec, group, bases, tensor.offsets and " +offsets" or "",
    tensor.columns and " +columns" or "")
end

-- Tensors of all layers that are alike stand on one line: digits become a star.
local function group(tensors, all)
  local groups, by_key = {}, {}
  for _, tensor in ipairs(tensors) do
    local name = all and tensor.name or tensor.name:gsub("%.%d+%f[.%z]", ".*")
    local codec = codec_text(tensor)
    local key = table.concat({ name, text.shape(tensor.shape), codec }, "\0")
    local found = by_key[key]
    if not found then
      found = { name = name, shape = text.shape(tensor.shape), codec = codec, count = 0, bytes = 0,
        values = 0 }
      by_key[key], groups[#groups + 1] = found, found
    end
    found.count, found.bytes = found.count + 1, found.bytes + tensor.bytes
    found.values = found.values + tensor.values
  end
  return groups
end

-- Rows of the table; what stands before a first star gets a line of its own.
local function rows_of(report, groups)
  local rows, heading = {}, nil
  for _, g in ipairs(groups) do
    local head, rest = g.name:match("^(.-%.%*)%.(.+)$")
    if head and head ~= heading then rows[#rows + 1] = { report.clean(head) } end
    heading = head
    rows[#rows + 1] = {
      report.clean(head and "  " .. rest or g.name), ("%d"):format(g.count), g.shape, g.codec,
      g.values > 0 and ("%.2f"):format(g.bytes * 8 / g.values) or "", text.size(g.bytes),
    }
  end
  return rows
end

local TITLES <const> = { "TENSOR", "COUNT", "SHAPE", "CODEC", "BITS", "BYTES" }

local function show_tensors(report, tensors, all)
  local rows, columns = rows_of(report, group(tensors, all)), {}
  text.fit(rows, TITLES, WIDTH)
  for i, title in ipairs(TITLES) do columns[i] = { title, right = i ~= 1 and i ~= 4 } end
  report.out("")
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
end

local function show_codecs(report, codecs)
  local rows = {}
  for i, c in ipairs(codecs) do
    rows[i] = { c.codec, report.thousands(c.tensors), report.thousands(c.parameters),
      report.thousands(c.bytes), bits_text(c.bits) }
  end
  local columns = { { "CODEC" } }
  for i, title in ipairs { "TENSORS", "PARAMETERS", "BYTES", "BITS" } do
    columns[i + 1] = { title, right = true }
  end
  report.out("")
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
end

local function value_text(report, value)
  if type(value) ~= "table" then return report.clean(tostring(value)) end
  local parts = {}
  for i, element in ipairs(value.first) do parts[i] = report.clean(tostring(element)) end
  return ("%s %ss: %s"):format(report.thousands(value.count), value.element,
    table.concat(parts, ", "))
end

local function show_metadata(report, metadata)
  local keys = require("bittern.check").sorted_keys(metadata)
  if #keys == 0 then return end
  report.out("\nmetadata")
  for _, key in ipairs(keys) do
    local line = ("  %s = %s"):format(report.clean(key), value_text(report, metadata[key]))
    report.out(text.cut(line, WIDTH))
  end
end

local function kind_text(result)
  local kind, bytes = kinds[result.kind], 0
  for _, file in ipairs(result.files) do bytes = bytes + file.bytes end
  return ("%s%s, %d file%s, %s"):format(result.packed and "packed artifact, " or "", kind,
    #result.files, #result.files == 1 and "" or "s", text.size(bytes))
end

local function show_head(report, result)
  local thousands = report.thousands
  report.out("format        " .. kind_text(result))
  if result.architecture then
    report.out("architecture  " .. report.clean(result.architecture))
  end
  report.out("tensors       " .. thousands(#result.tensors))
  if result.parameters then report.out("parameters    " .. thousands(result.parameters)) end
  local bits = bits_text(result.bits_per_parameter)
  report.out(("bytes         %s%s"):format(thousands(result.bytes),
    bits ~= "" and ", " .. bits .. " bits a parameter" or ""))
end

local function show(report, result, all)
  show_head(report, result)
  if #result.tensors > 0 then
    show_codecs(report, result.codecs)
    show_tensors(report, result.tensors, all)
  end
  show_metadata(report, result.metadata)
end

return {
  api = 1,
  about = "what a model on disk holds, and what is wrong with it",
  group = "model",
  args = function(parser)
    parser:argument("path", "a model directory, an archive, a GGUF or safetensors file")
    parser:flag("--all", "every tensor on a line of its own")
  end,
  run = function(ctx)
    local report = ctx.report
    local result, message, code = require("bittern.inspect.survey").run(ctx.args.path)
    if not result then return nil, message, code end
    local first = result.problems[1]
    if ctx.json then
      local errors = require "bittern.errors"
      result.error = first and { id = first.id, message = first.message,
        next = errors.next(first.id), exit = errors.exit(first.id) }
      report.data(result)
      return first and errors.exit(first.id) or true
    end
    show(report, result, ctx.args.all)
    for i = 2, #result.problems do report.warn(result.problems[i].message) end
    if first then return nil, first.message, first.id end
    return true
  end,
}
