-- What a parser of lua-argparse understands, as plain tables: for completion and manual pages. The
-- library has no other way to ask than its own fields (version 0.7.1, Debian's).
local M = {}

local function value_of(element)
  local name = element._argname
  if type(name) == "table" then name = table.concat(name, " ") end
  if name then return name end
  return not element._choices and element:_get_default_argname() or nil
end

local function described(element)
  return {
    about = element._description or "", choices = element._choices, default = element._default,
    repeated = element._maxcount > 1 or element._maxargs > 1,
    required = element._mincount > 0 and element._minargs > 0,
  }
end

--- The options of a parser, in the order of its help.
-- @return array of {names = {"-q", "--quiet"}, about=, value= what people call what it takes, nil
--   for flags and where there are choices, choices= array or nil, default=, repeated=, required=,
--   flag = boolean}
function M.options(parser)
  local list = {}
  for _, option in ipairs(parser._options) do
    if not option._hidden then
      local entry = described(option)
      entry.names, entry.flag = option._public_aliases, option._maxargs == 0
      entry.value = not entry.flag and value_of(option) or nil
      list[#list + 1] = entry
    end
  end
  return list
end

--- The arguments of a parser, in their order.
-- @return array of {name=, about=, choices=, default=, repeated=, required=, most = how many}
function M.arguments(parser)
  local list = {}
  for _, argument in ipairs(parser._arguments) do
    if not argument._hidden then
      local entry = described(argument)
      entry.name, entry.most = argument._name, argument._maxargs
      list[#list + 1] = entry
    end
  end
  return list
end

--- The text below the options in a parser's help, or nil.
function M.epilog(parser)
  return parser._epilog
end

return M
