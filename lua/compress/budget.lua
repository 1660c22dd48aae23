-- The bits an artifact may use: floor(ceil(parameters x b) / 8) bytes, in exact integers.
--
-- b = 0.9 x native + 0.1 x 4.125 bits a parameter: 21/16 for binary, 177/80 for ternary. The whole
-- archive counts, after compression (contract 6.2).
local M = {}

-- Parameters of the model that the first of the two size gates is about.
M.REFERENCE_PARAMETERS = 27000000000

local MOST <const> = 1 << 53
-- So that no product in M.bits passes 2^63.
local LARGEST_TERM <const> = 1000000000
local MOST_BITS <const> = 64

local named = { binary = { 21, 16 }, ternary = { 177, 80 } }

local function greatest_common_divisor(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

local function is_term(n)
  return math.type(n) == "integer" and n > 0 and n <= LARGEST_TERM
end

-- Decimal text such as "1.3125" as an exact fraction.
local function parse(text)
  local whole, digits = text:match("^(%d+)%.?(%d*)$")
  if not whole or #whole + #digits > 9 then return nil end
  local denominator = math.tointeger(10 ^ #digits)
  local numerator = math.tointeger(whole .. digits)
  local divisor = greatest_common_divisor(numerator, denominator)
  return { numerator // divisor, denominator // divisor }
end

--- Bits a parameter as a fraction.
-- @param budget "binary", "ternary", text such as "1.5" or "21/16", or {numerator, denominator}
-- @return numerator, denominator; or nil, message, "usage"
function M.rate(budget)
  local rate = type(budget) == "table" and budget or named[budget]
  if not rate and type(budget) == "string" then
    local numerator, denominator = budget:match("^(%d+)/(%d+)$")
    rate = numerator and { math.tointeger(numerator), math.tointeger(denominator) } or parse(budget)
  end
  local good = rate and is_term(rate[1]) and is_term(rate[2]) and rate[1] // rate[2] < MOST_BITS
  if good then return rate[1], rate[2] end
  local text = type(budget) == "table" and table.concat(budget, "/") or tostring(budget)
  return nil, ("budget '%s' is not binary, ternary or bits a parameter such as 1.3125 or 21/16")
    :format(text), "usage"
end

--- Most bits of an artifact of so many parameters: ceil(parameters x rate).
-- @param parameters integer in 0..2^53
-- @param budget see M.rate
-- @return integer, or nil, message, code
function M.bits(parameters, budget)
  if math.type(parameters) ~= "integer" or parameters < 0 or parameters > MOST then
    error("parameters must be an integer in 0..2^53", 2)
  end
  local numerator, denominator, code = M.rate(budget)
  if not numerator then return nil, denominator, code end
  -- p = whole x denominator + rest, so that no product passes 2^63.
  local whole, rest = parameters // denominator, parameters % denominator
  return whole * numerator + (rest * numerator + denominator - 1) // denominator
end

--- Most bytes of an artifact of so many parameters.
-- @param parameters integer
-- @param budget see M.rate
-- @return integer, or nil, message, code
function M.bytes(parameters, budget)
  local bits, message, code = M.bits(parameters, budget)
  if not bits then return nil, message, code end
  return bits // 8
end

--- Which size gates of the contract an artifact passes.
-- @param size bytes of the whole archive
-- @param parameters integer
-- @param budget see M.rate
-- @return array of {id = "artifact_size"|"quantized_size", limit = bytes, over = bytes over,
--   ok = boolean}, or nil, message, code
function M.gates(size, parameters, budget)
  local reference, message, code = M.bytes(M.REFERENCE_PARAMETERS, budget)
  if not reference then return nil, message, code end
  local function gate(id, limit)
    return { id = id, limit = limit, over = math.max(0, size - limit), ok = size <= limit }
  end
  return { gate("artifact_size", reference), gate("quantized_size", M.bytes(parameters, budget)) }
end

--- What a budget is called: its name, or its bits a parameter.
-- @param budget a rate, as M.rate takes it
function M.name(budget)
  if type(budget) == "string" then return budget end
  for name, rate in pairs(named) do
    if rate[1] == budget[1] and rate[2] == budget[2] then return name end
  end
  return ("%d/%d"):format(budget[1], budget[2])
end

return M
