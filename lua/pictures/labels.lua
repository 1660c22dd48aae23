-- Short names of compressions that are shown together: what they have in common is left out.
local M = {}

-- Settings of a recipe that stands alone.
local ALONE <const> = 1

local function words_of(label)
  local words = {}
  for word in label:gmatch "%S+" do words[#words + 1] = word end
  return words
end

-- How many of each recipe there are, and how many of them have a word.
local function count(list)
  local recipes, with = {}, {}
  for _, one in ipairs(list) do
    local words = words_of(one.label)
    local recipe = words[1] or ""
    recipes[recipe] = (recipes[recipe] or 0) + 1
    for i = 2, #words do
      local key = recipe .. "\0" .. words[i]
      with[key] = (with[key] or 0) + 1
    end
  end
  return recipes, with
end

--- Gives each its short name, as `name`: "rowcol base=t5 keep=norm" is "rowcol base=t5" beside
-- "rowcol base=b1 keep=norm".
-- @param list array of {label = recipe and settings, blanks between them}
function M.shorten(list)
  local recipes, with = count(list)
  for _, one in ipairs(list) do
    local words = words_of(one.label)
    local recipe, kept = words[1] or "", { words[1] }
    for i = 2, #words do
      local all = with[recipe .. "\0" .. words[i]] == recipes[recipe]
      if not all or recipes[recipe] == 1 and i <= 1 + ALONE then kept[#kept + 1] = words[i] end
    end
    one.name = table.concat(kept, " ")
  end
end

return M
