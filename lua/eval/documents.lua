-- A text as what a model is run on: documents, chunks or windows of tokens, and from where in each
-- of them targets are scored.
local buffer = require "core.buffer"
local sha256 = require "core.sha256"

local M = {}

-- `count` tokens from `at` on, behind the tokens that every text begins with.
local function piece(tokens, at, count, first)
  if #first == 0 then return tokens:view(at, count) end
  local out = buffer.new("i32", #first + count)
  for i, id in ipairs(first) do out:set(i - 1, id) end
  out:put(#first, tokens:view(at, count))
  return out
end

-- Room that is left for the text in a document.
local function room(settings, first)
  return math.max(1, settings.max_tokens - #first)
end

local cut = {}

function cut.tokens(text, tokenizer, settings, first)
  local tokens, message, code = tokenizer.encode(text)
  if not tokens then return nil, message, code end
  local list, step = {}, room(settings, first)
  for at = 0, #tokens - 1, step do
    list[#list + 1] = piece(tokens, at, math.min(step, #tokens - at), first)
  end
  return list
end

-- One text, truncated.
local function truncated(text, tokenizer, settings, first)
  local tokens, message, code = tokenizer.encode(text)
  if not tokens then return nil, message, code end
  return piece(tokens, 0, math.min(room(settings, first), #tokens), first)
end

function cut.lines(text, tokenizer, settings, first)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    local tokens, message, code = truncated(line, tokenizer, settings, first)
    if not tokens then return nil, message, code end
    list[#list + 1] = tokens
  end
  return list
end

function cut.file(text, tokenizer, settings, first)
  local tokens, message, code = truncated(text, tokenizer, settings, first)
  if not tokens then return nil, message, code end
  return { tokens }
end

local modes = {}

-- Every target of every document.
function modes.validator(text, tokenizer, settings, first)
  local cuts, message, code = cut[settings.documents](text, tokenizer, settings, first)
  if not cuts then return nil, message, code end
  local list = {}
  for _, tokens in ipairs(cuts) do list[#list + 1] = { tokens = tokens, from = 0 } end
  return list
end

-- The tokens of the whole text, behind those that it begins with.
local function whole(text, tokenizer, first)
  local tokens, message, code = tokenizer.encode(text)
  if not tokens then return nil, message, code end
  return piece(tokens, 0, #tokens, first)
end

-- A chunk begins with the token that texts begin with, whatever stood there.
local function chunk_of(tokens, at, size, first)
  local chunk = tokens:view(at, size)
  if #first == 0 or at == 0 then return chunk end
  local out = buffer.new("i32", size)
  out:put(0, chunk)
  out:set(0, first[1])
  return out
end

-- Whole chunks, and of each the targets in its second half.
function modes.llama(text, tokenizer, settings, first)
  local tokens, message, code = whole(text, tokenizer, first)
  if not tokens then return nil, message, code end
  local list, size = {}, settings.max_tokens
  for at = 0, #tokens - size, size do
    list[#list + 1] = { tokens = chunk_of(tokens, at, size, first), from = size // 2 }
  end
  return list
end

-- Windows that overlap: each target is scored once, in the first window that reaches it.
function modes.stride(text, tokenizer, settings, first)
  local tokens, message, code = whole(text, tokenizer, first)
  if not tokens then return nil, message, code end
  local list, reached = {}, 1
  for at = 0, #tokens - 1, settings.stride do
    local last = math.min(at + settings.max_tokens, #tokens)
    list[#list + 1] = { tokens = tokens:view(at, last - at), from = reached - at - 1 }
    reached = last
    if last == #tokens then break end
  end
  return list
end

-- `limit` of the documents in their order: the first ones, or those that the seed draws.
local function drawn(list, limit, seed)
  if not limit or limit >= #list then return list end
  if not seed then return table.move(list, 1, limit, 1, {}) end
  local order = {}
  for i in ipairs(list) do order[i] = { i, sha256.hex(("%d:%d"):format(seed, i)) } end
  table.sort(order, function(a, b) return a[2] < b[2] end)
  local picked = {}
  for i = 1, limit do picked[i] = order[i][1] end
  table.sort(picked)
  for i, at in ipairs(picked) do picked[i] = list[at] end
  return picked
end

local function check_text(text)
  if text == "" then return nil, "the text is empty, so there is nothing to score", "config" end
  local length, at = utf8.len(text)
  if length then return true end
  return nil, ("the text is not UTF-8: byte %d; convert it, as with iconv"):format(at), "config"
end

local few = {
  validator = "no document of the text has two tokens, so there is nothing to score",
  llama = "the text is shorter than one chunk of %d tokens, so there is nothing to score",
  stride = "the text has fewer than two tokens, so there is nothing to score",
}

--- The ways to score a text.
-- @return sorted array of names
function M.modes()
  return { "llama", "stride", "validator" }
end

--- The ways to cut a text into a validator's documents.
-- @return sorted array of names
function M.cuts()
  return { "file", "lines", "tokens" }
end

--- Cuts a text into what is scored; what has no target is left out.
-- @param text string
-- @param tokenizer as bittern.tokenizer gives it
-- @param settings {mode = "validator"|"llama"|"stride", documents = "tokens"|"lines"|"file",
--   max_tokens = of a document, chunk or window, stride = tokens from window to window, limit =
--   most documents or nil, seed = which ones or nil for the first}
-- @return array of {number, tokens = i32 buffer, from = the first of its targets that is scored,
--   targets = how many are}, how many there are without limit; or nil, message, code
function M.of(text, tokenizer, settings)
  local ok, message, code = check_text(text)
  if not ok then return nil, message, code end
  local all, why, id = modes[settings.mode](text, tokenizer, settings, tokenizer.first or {})
  if not all then return nil, why, id end
  local list = {}
  for _, document in ipairs(all) do
    document.targets = #document.tokens - 1 - document.from
    if document.targets > 0 then
      list[#list + 1] = document
      document.number = #list
    end
  end
  if #list == 0 then return nil, few[settings.mode]:format(settings.max_tokens), "config" end
  return drawn(list, settings.limit, settings.seed), #list
end

local function check_tokens(document, tokenizer, vocabulary)
  for i = 0, #document.tokens - 1 do
    local id = document.tokens:get(i)
    if id >= vocabulary then
      return nil, ("document %d, position %d: token %d ('%s') is not below the model's "
        .. "vocabulary of %d; it needs another tokenizer"):format(document.number, i, id,
        tokenizer.text(id), vocabulary), "invalid_model"
    end
  end
  return true
end

--- Whether a model knows every token and every position.
-- @param list as M.of gives it
-- @param read {vocab, description} as bittern.eval.load gives it
-- @return true, or nil, message, code
function M.check(list, tokenizer, read)
  local most = read.description.most_tokens or math.huge
  for _, document in ipairs(list) do
    if #document.tokens > most then
      return nil, ("document %d has %d tokens, the model knows %d positions; give --max-tokens %d")
        :format(document.number, #document.tokens, most, most), "config"
    end
    local ok, message, code = check_tokens(document, tokenizer, read.vocab)
    if not ok then return nil, message, code end
  end
  return true
end

return M
