-- tokenizer.json and what it does to a text: tokens stand for the text again. The input: JSON, a
-- zero byte, a text.
local description = require "bittern.tokenizer.description"
local json = require "bittern.json"
local outcome = require "tests.fuzz.outcome"
local tokenizer = require "bittern.tokenizer"

-- Whether tokens are the text and nothing else: no two entries of one number, nothing normalised,
-- no blanks that an added token takes along.
local function is_exact(found)
  local seen = {}
  for _, id in pairs(found.ids) do
    if seen[id] then return false end
    seen[id] = true
  end
  for _, one in ipairs(found.added) do
    if one.lstrip or one.rstrip then return false end
  end
  return not (found.nfc or found.prefix_space)
end

local function text_of(tokens, ids)
  local parts = {}
  for i = 0, #ids - 1 do parts[i + 1] = tokens.text(ids:get(i)) end
  return table.concat(parts)
end

return function(bytes)
  local text, source = outcome.parts(bytes, 2)
  local tokens, message, code = tokenizer.from_json(text)
  if not tokens then return outcome.refused(message, code) end
  local ids, why, id = tokens.encode(source)
  if not ids then return outcome.refused(why, id) end
  local found = description.read(json.decode(text, { coarse = true }))
  if is_exact(found) then assert(text_of(tokens, ids) == source, "tokens of another text") end
  return "read"
end
