-- Rows of a dataset on the hub, as validators take them for held-out texts (contract.md 4.5): asked
-- of the datasets server page by page, the window turned by the sync slot of the replay.
local sha256 = require "core.sha256"

local check = require "bittern.check"
local http = require "bittern.http"

local M = {}

--- The hub's server of datasets.
M.SERVER = "https://datasets-server.huggingface.co"

local PAGE_MOST <const>, TRIES <const> = 100, 3
local TIMEOUT <const>, BODY_MOST <const> = 60, 32 << 20

local kinds <const> = { hf_rows = true, huggingface_rows = true, dataset_rows = true }

-- Other keys are left alone, as validators leave them.
local schema <const> = {
  source = { type = "string", optional = true }, dataset = { type = "string" },
  config = { type = "string", default = "default" }, split = { type = "string" },
  text_column = { type = "string", optional = true },
  text_columns = { type = "table", optional = true },
  offset = { type = "integer", default = 0 }, limit = { type = "integer", default = 100 },
  page_size = { type = "integer", default = PAGE_MOST },
  row_count = { type = "integer", optional = true }, rotate = { type = "boolean", default = false },
  min_chars = { type = "integer", default = 1 }, max_chars = { type = "integer", default = 6000 },
  field_separator = { type = "string", default = "\n\n" },
}

-- What a source asks for; or nil and what is wrong with it.
local function options_of(entry)
  local options = {}
  for name, field in pairs(schema) do
    options[name] = entry[name]
    if options[name] == nil then options[name] = field.default end
  end
  local ok, message = check.table(options, schema)
  if not ok then return nil, message end
  if options.source and not kinds[options.source] then
    return nil, ("source '%s' is not known"):format(options.source)
  end
  options.columns = options.text_columns or { options.text_column }
  if #options.columns == 0 then return nil, "names no text_column" end
  if options.limit < 1 or options.page_size < 1 or options.offset < 0 then
    return nil, "limit, page_size or offset is too small"
  end
  options.page_size = math.min(options.page_size, PAGE_MOST)
  return options
end

-- Where the window of rows begins. Another one for each sync slot, the same for all validators.
local function first_row(options, env)
  if not options.rotate then return options.offset end
  local places = (options.row_count or 0) - options.limit + 1
  if places < 1 then return nil, "rotate needs a row_count of at least limit" end
  local seed = ("%s:%s:%s:%d:%d:%s:%s"):format(options.dataset, options.config, options.split,
    options.offset, options.limit, env.AUTORESEARCH_HELDOUT_SYNC_SLOT or "",
    env.AUTORESEARCH_HELDOUT_SYNC_NUMBER or "")
  -- Digit by digit: the first 64 bits are an unsigned number, Lua's integers are signed.
  local row = 0
  for digit in sha256.hex(seed):sub(1, 16):gmatch "." do
    row = (row * 16 + tonumber(digit, 16)) % places
  end
  return row
end

-- The row's text, or nil where it has too little.
local function text_of(row, options)
  local parts = {}
  for _, column in ipairs(options.columns) do
    local value = row[column]
    if type(value) == "string" and value:find("%S") then
      parts[#parts + 1] = value:match("^%s*(.-)%s*$")
    end
  end
  local text = table.concat(parts, options.field_separator)
  local length = utf8.len(text) or #text
  if length < math.max(1, options.min_chars) then return nil end
  if length <= options.max_chars then return text end
  return text:sub(1, utf8.offset(text, options.max_chars + 1) - 1)
end

local function headers_of(env)
  local token = env.AUTORESEARCH_PRIVATE_HELDOUT_HF_TOKEN or env.HF_TOKEN or env.HUGGINGFACE_TOKEN
  return token and { "Authorization: Bearer " .. token } or {}
end

local function page(options, env, server, offset, length)
  local url = ("%s/rows?%s"):format(server, http.form {
    { "dataset", options.dataset }, { "config", options.config }, { "split", options.split },
    { "offset", offset }, { "length", length },
  })
  local value, message, code = http.json("GET", url, {
    headers = headers_of(env), timeout = TIMEOUT, max_bytes = BODY_MOST, redirects = 0,
    retry = { tries = TRIES },
  })
  if value == nil then return nil, message, code end
  if type(value) == "table" and type(value.rows) == "table" then return value.rows end
  return nil, "the datasets server answers without rows", "invalid_response"
end

--- The texts of a source.
-- @param entry {dataset = "owner/name", split =, text_column = or text_columns =, ...}
-- @param env of the benchmark: the sync slot, a token
-- @param server its address without a slash at the end, nil for the hub's
-- @return array of strings, or nil, message, code
function M.fetch(entry, env, server)
  local options, message = options_of(entry)
  if not options then return nil, message end
  local first, why = first_row(options, env)
  if not first then return nil, why end
  local texts, at, stop = {}, first, first + options.limit
  while at < stop do
    local rows, trouble, code = page(options, env, server or M.SERVER, at,
      math.min(options.page_size, stop - at))
    if not rows then return nil, trouble, code end
    for _, row in ipairs(rows) do texts[#texts + 1] = text_of(row.row or {}, options) end
    if #rows == 0 then break end
    at = at + #rows
  end
  if #texts == 0 then return nil, "gives no text" end
  return texts
end

return M
