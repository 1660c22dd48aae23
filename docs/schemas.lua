-- Writes docs/schemas from docs/shapes: a JSON schema of what every command prints with --json. A
-- shape is written as what it describes looks like:
--
--   "integer: bytes of the file"   a type, or the name of a record below, and what it means
--   { path = "string" }            an object with these fields and no others; `["size?"]` may be
--                                  missing, `["..."] = true` allows others
--   shape.list(x), map(x)          an array of x; an object whose every value is x
--   shape.either { x, y }          one of them
local check = require "bittern.check"
local json = require "bittern.json"
local script = require "bittern.script"

local M = {}

local DRAFT <const> = "https://json-schema.org/draft/2020-12/schema"
local GROUPS <const> = { "discover", "model", "artifact", "compete", "self" }

local plain <const> = { string = true, integer = true, number = true, boolean = true, null = true,
  object = true }

local to_schema

-- "integer|null", "task", "any"
local function of_word(word)
  local types = json.array {}
  for one in word:gmatch("[^|]+") do
    if not plain[one] then
      return word == "any" and {} or { ["$ref"] = "common.json#/$defs/" .. word }
    end
    types[#types + 1] = one
  end
  return { type = #types > 1 and types or types[1] }
end

local function of_text(text)
  local word, about = text:match("^([^:]+): (.+)$")
  local schema = of_word(word or text)
  schema.description = about
  return schema
end

local function of_object(shape)
  local properties, required = {}, json.array {}
  for _, key in ipairs(check.sorted_keys(shape)) do
    local name = key:match("^(.*)%?$") or key
    if key ~= "..." then properties[name] = to_schema(shape[key]) end
    if name == key and key ~= "..." then required[#required + 1] = name end
  end
  return { type = "object", properties = properties, required = required,
    additionalProperties = shape["..."] or false }
end

local function many(shapes)
  local list = json.array {}
  for i, shape in ipairs(shapes) do list[i] = to_schema(shape) end
  return list
end

local kinds = {
  list = function(of) return { type = "array", items = to_schema(of) } end,
  map = function(of) return { type = "object", additionalProperties = to_schema(of) } end,
  either = function(of) return { anyOf = many(of) } end,
  lines = function(of) return many(of) end,
}

function to_schema(shape)
  if type(shape) == "string" then return of_text(shape) end
  if shape.kind and kinds[shape.kind] then return kinds[shape.kind](shape.of) end
  return of_object(shape)
end

local function maker(kind)
  return function(of) return { kind = kind, of = of } end
end

--- What shapes are written with: list(x), map(x), either {x, y}; lines {x, y} is a command's whole
-- shape when it prints several objects, one a line.
M.shape = { list = maker "list", map = maker "map", either = maker "either", lines = maker "lines" }

-- What every command may print beside its own: a failure, and its help.
local function command_schema(name, shape)
  local command = assert(script.find("cmd", name))
  local is_stream = shape.kind == "lines"
  local forms = is_stream and to_schema(shape) or shape.kind == "either" and many(shape.of)
    or many { shape }
  forms[#forms + 1], forms[#forms + 2] = of_word "failure", of_word "help"
  return {
    ["$schema"] = DRAFT, title = ("bittern %s --json"):format(name),
    description = command.about .. (is_stream and "; several objects, each on a line of its own, "
      .. "and each is one of these" or ""),
    anyOf = forms,
  }
end

--- The shapes of all commands.
-- @return {command = shape}
function M.commands()
  local all = {}
  for _, group in ipairs(GROUPS) do
    local path = require("bittern.paths").root() .. "/docs/shapes/" .. group .. ".lua"
    for name, shape in pairs(assert(loadfile(path, "t"))(M.shape)) do all[name] = shape end
  end
  return all
end

local function common()
  local path = require("bittern.paths").root() .. "/docs/shapes/common.lua"
  local definitions = {}
  for name, shape in pairs(assert(loadfile(path, "t"))(M.shape)) do
    definitions[name] = to_schema(shape)
  end
  definitions.sha256.pattern = "^[0-9a-f]{64}$"
  return { ["$schema"] = DRAFT, title = "what several commands print", ["$defs"] = definitions }
end

-- JSON with a line for every member: schemas are read by people, too.
local function pretty(value, indent)
  if type(value) ~= "table" or next(value) == nil then return assert(json.encode(value)) end
  local inner, parts = indent .. "  ", {}
  local is_list = #value > 0
  for i, key in ipairs(is_list and value or check.sorted_keys(value)) do
    parts[i] = inner .. (is_list and pretty(value[i], inner)
      or json.encode(key) .. ": " .. pretty(value[key], inner))
  end
  local open, close = is_list and "[" or "{", is_list and "]" or "}"
  return ("%s\n%s\n%s%s"):format(open, table.concat(parts, ",\n"), indent, close)
end

--- Every schema.
-- @return {file name = text}
function M.all()
  local all = { ["common.json"] = pretty(common(), "") .. "\n" }
  for name, shape in pairs(M.commands()) do
    all[name .. ".json"] = pretty(command_schema(name, shape), "") .. "\n"
  end
  return all
end

return M
