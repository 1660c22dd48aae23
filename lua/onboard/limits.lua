-- Numbers that an onboarding text sets: budgets, caps, times. Only limits count.
local blocks = require "bittern.onboard.blocks"

local M = {}

local bounds = { "at most", "maximum", "max", "no more than", "not exceed", "limit", "budget",
  "up to", "cap ", "capped", "must fit", "under" }

local function sets_bound(lower)
  for _, word in ipairs(bounds) do
    if lower:find(word, 1, true) then return true end
  end
  return false
end

local function integer(text)
  return text and math.tointeger(tonumber((text:gsub("[,_]", ""))))
end

local units = { byte = 1, bytes = 1, kib = 1 << 10, mib = 1 << 20, gib = 1 << 30 }

-- The first "262,144 bytes" or "256 KiB" of a text, in bytes. A fraction of a unit is no exact
-- number and counts for nothing.
local function bytes(lower)
  for digits, unit in lower:gmatch("%f[%d.,_]([%d,_]+)[%s-]*(%a+)") do
    local number = units[unit] and integer(digits)
    if number then return number * units[unit] end
  end
  return nil
end

-- "21/16 bits" or "1.3125 bits per parameter", as an exact text for bittern.compress.budget.
local function bits(lower)
  if lower:find("rescue", 1, true) then return nil end
  local fraction = lower:match("(%d+%s*/%s*%d+)%s*%(?[%d.]*%)?%s+bits")
  if fraction then return (fraction:gsub("%s", "")) end
  return lower:match("(%d+%.?%d*)%s+bits%s*/?%s*a?%s*p?e?r?%s*param")
end

local readers = {
  bits_per_parameter = bits,
  artifact_bytes = function(lower)
    for _, word in ipairs { "artifact", "archive", "reference model" } do
      if lower:find(word, 1, true) then return bytes(lower) end
    end
    return nil
  end,
  patch_bytes = function(lower)
    if not lower:find("patch", 1, true) then return nil end
    return bytes(lower) or integer(lower:match("max_patch_bytes[%s=:|]+(%d[%d,_]*)"))
  end,
  summary_characters = function(lower)
    if not lower:find("summary", 1, true) then return nil end
    return integer(lower:match("(%d[%d,_]*)%s+characters"))
  end,
  time_budget_seconds = function(lower)
    return lower:find("time budget", 1, true) and integer(lower:match("(%d[%d,_]*)%s*seconds"))
  end,
}

local order = { "bits_per_parameter", "artifact_bytes", "patch_bytes", "summary_characters",
  "time_budget_seconds" }

--- Limits of a text, each {value =, line =, text =}. The first mention counts.
-- @param list blocks (bittern.onboard.blocks)
function M.read(list)
  local limits = {}
  for _, block in ipairs(list) do
    for _, clause in ipairs(blocks.clauses(block)) do
      local lower = clause.text:lower():gsub("[`*]", "")
      for _, name in ipairs(sets_bound(lower) and order or {}) do
        local value = not limits[name] and readers[name](lower)
        if value then
          local line = blocks.line_at(block, clause.at)
          limits[name] = { value = value, line = line, text = clause.text }
        end
      end
    end
  end
  return limits
end

return M
