-- Words of doc comments as types that editors understand (LuaLS).
local M = {}

--- What a source of bytes is called: a string, or what lends its bytes.
M.BYTES = "core.bytes"
--- The type of core.buffer's arrays.
M.BUFFER = "core.buffer.buffer"

-- Names of arguments that mean the same wherever they stand: {type, what it is}.
local names <const> = {
  args = { "table", "a command's arguments, by name" },
  body = { "table", "the fields that are sent" },
  bytes = { M.BYTES, "string, buffer, map, slice or secret" },
  claim_id = { "string", "a claim's id" },
  client = { "table", "what session.client or coordinator.new gives" },
  code = { "string", "an error's id" },
  codes = { M.BYTES, "packed codes: string, buffer or slice" },
  codec = { "string", "such as \"b1\" or \"tq1_0\"; core.quant.codecs lists them" },
  cols = { "integer", "columns of the matrix" },
  count = { "integer" },
  ctx = { "table", "context of a command or of a workflow's step" },
  dtype = { "string", "\"f32\", \"f16\", \"bf16\", ..." },
  env = { "function", "function(name) -> value, as os.getenv" },
  fd = { "integer", "file descriptor" },
  high = { "number" },
  hotkey = { "string", "SS58 address" },
  i = { "integer", "counted from 0" },
  id = { "string" },
  item = { "table" },
  job_id = { "string", "a verification job's id" },
  label = { "string", "word for the progress line" },
  low = { "number" },
  message = { "string" },
  n = { "integer" },
  name = { "string" },
  number = { "number" },
  offset = { "integer", "counted from 0" },
  options = { "table" },
  parser = { "table", "lua-argparse's parser" },
  path = { "string" },
  plan = { "table", "what compress.prepare made" },
  record = { "table", "a record of the coordinator" },
  request = { "table", "what preview.claim or preview.submission gives" },
  row = { "table", "a row of the ledger" },
  rows = { "integer", "rows of the matrix" },
  run = { "integer", "id of a run in the ledger" },
  scales = { M.BYTES, "string, buffer or slice of f16" },
  seconds = { "number" },
  size = { "integer", "bytes" },
  slug = { "string", "a task's slug or id" },
  sql = { "string" },
  state = { "table", "what the steps before gave: {step's name = result}" },
  submission = { "table", "a submission's record, or its fields before it is sent" },
  submission_id = { "string", "a submission's id" },
  task = { "table", "a task's record" },
  task_id = { "string", "a task's id" },
  tasks = { "table", "array of tasks' records" },
  text = { "string" },
  url = { "string" },
  value = { "any" },
  weights = { M.BYTES, "buffer of f32, f16 or bf16, or bytes of option `dtype`" },
}

-- How a description begins, and what it is then.
local beginnings <const> = {
  { "^integer", "integer" }, { "^number of ", "integer" }, { "^number", "number" },
  { "^string", "string" }, { "^text", "string" }, { "^path", "string" }, { "^boolean", "boolean" },
  { "^whether", "boolean" }, { "^true", "boolean" }, { "^bytes", M.BYTES }, { "^blocks", "any" },
  { "^function", "function" }, { "^array", "table" }, { "^table", "table" }, { "^{", "table" },
  { "^%l%d+ buffer", M.BUFFER }, { "^bf16 buffer", M.BUFFER }, { "^buffer", M.BUFFER },
  { "^of %d+ bytes", "string" }, { "^seconds", "number" }, { "^url", "string" }, { '^"', "string" },
  { "^sorted array", "table" }, { "^absolute path", "string" }, { "^sha256", "string" },
  { "^see ", "any" },
}

--- The type that a description begins with.
-- @param text such as "array of strings" or "f32 buffer [rows]"
-- @param classes {word = type} of the module's own objects, or nil
-- @return type, or nil when it names none
function M.of(text, classes)
  local word = text:match("^%a%w*")
  if classes and word and classes[word] then return classes[word] end
  for _, known in ipairs(beginnings) do
    if text:find(known[1]) then return known[2] end
  end
  return nil
end

--- The type of an argument that is known by its name.
-- @param name of the argument
-- @return type and what it is, or nil
function M.by_name(name)
  local known = names[name]
  if known then return known[1], known[2] end
  return nil
end

--- The type of a default: `4`, `true`, `"f32"`, `64 MiB`, `1.0`.
-- @param text string
-- @return type, or nil
function M.of_default(text)
  if text:find('^"') then return "string" end
  if text == "true" or text == "false" then return "boolean" end
  if text:find("^%d+%.%d") or text:find("^%d+ s%f[%W]") then return "number" end
  if text:find("^%d") or text:find("^its end") then return "integer" end
  return nil
end

return M
