-- The API reference as Markdown: a page for each module, and a list of them all.
local modules = require "bittern.reference.modules"
local source_c = require "bittern.reference.source_c"
local source_lua = require "bittern.reference.source_lua"

local M = {}

local HEAD <const> = "<!-- Generated from %s by docs/generate.lua (`make docs`); edit there. -->\n"

--- Every module of the reference, read from its source.
-- @return array of {title=, modules = array of what source_c.read and source_lua.read give}
function M.groups()
  local core = { title = "Primitives in C", modules = {} }
  for i, name in ipairs(source_c.names()) do core.modules[i] = source_c.read(name) end
  local list = { core }
  for _, group in ipairs(modules) do
    local read = {}
    for i, name in ipairs(group.modules) do read[i] = source_lua.read(name) end
    list[#list + 1] = { title = group.title, modules = read }
  end
  return list
end

local function argument_line(argument)
  local parts = { ("- `%s`"):format(argument.name) }
  local about = argument.about
  local says_type = about and argument.type and about:find("^" .. argument.type)
  if argument.type and not says_type and not argument.type:find("^core%.")
    and argument.type ~= "any" then
    parts[#parts + 1] = argument.type
  end
  if about then parts[#parts + 1] = about end
  if argument.default then parts[#parts + 1] = ("default %s"):format(argument.default) end
  return #parts > 1 and parts[1] .. ": " .. table.concat(parts, ", ", 2) or nil
end

local function capital(text)
  return (text:gsub("^%l", string.upper))
end

-- The call of a function as a script writes it.
local function heading(module, item)
  return item.class and item.call or module.name .. "." .. item.call
end

local function section(module, item)
  local lines = { ("### `%s`\n"):format(heading(module, item)) }
  if item.about and item.about ~= "" then lines[#lines + 1] = item.about .. "\n" end
  local arguments = {}
  for _, argument in ipairs(item.arguments) do
    arguments[#arguments + 1] = argument_line(argument)
  end
  if #arguments > 0 then lines[#lines + 1] = table.concat(arguments, "\n") .. "\n" end
  if item.returns then lines[#lines + 1] = "Gives " .. item.returns .. "\n" end
  if item.usage then lines[#lines + 1] = ("Example: `%s`\n"):format(item.usage) end
  return table.concat(lines, "\n")
end

--- The page of a module.
-- @param module what source_c.read or source_lua.read gives
-- @return Markdown
function M.page(module)
  local lines = { HEAD:format(module.file) .. "# " .. module.name .. "\n",
    capital(module.about) .. "\n" }
  for _, item in ipairs(module.functions) do
    if not item.problem then lines[#lines + 1] = section(module, item) end
  end
  return table.concat(lines, "\n")
end

--- Where a module's page lies, below docs/api.
-- @param name such as "core.sha256" or "bittern.eval.score"
-- @return path
function M.path(name)
  local first, rest = name:match("^(%a+)%.(.*)$")
  return ("%s/%s.md"):format(first, rest)
end

local INDEX <const> = [[
# API reference

What scripts may use. A recipe sees its `ctx` alone; modes, publishers, workflows and commands
require modules. What is not listed here may change at any time.

A call that can fail because of the world gives `nil`, a message and the id of an error
([Errors](../errors.md)); a call that is wrong in itself raises. `a | b` are results of which one
comes, `[, x]` may be left out. Bytes are a string, or what lends its bytes: a buffer, a map, a
slice or a secret. Elements of buffers are counted from 0, those of Lua tables from 1.

`help "core.sha256"` in `bittern repl` shows a page, `help(f)` a function. `bittern new` writes a
`.luarc.json`, with which editors that have the Lua language server complete and explain all of
this, and [what scripts are](../meta/scripts.lua).
]]

local function first_sentence(text)
  local flat = text:gsub("%s+", " ")
  return (flat:match("^(.-[^%.]%.)%s") or flat):gsub("%.$", "")
end

--- The page that lists all modules.
-- @return Markdown
function M.index()
  local lines = { HEAD:format("the sources") .. INDEX }
  for _, group in ipairs(M.groups()) do
    lines[#lines + 1] = ("\n## %s\n\n"):format(group.title)
    for _, module in ipairs(group.modules) do
      lines[#lines + 1] = ("- [`%s`](%s): %s\n"):format(module.name, M.path(module.name),
        first_sentence(module.about))
    end
  end
  return table.concat(lines)
end

--- Every page.
-- @return {path below docs/api = Markdown}
function M.all()
  local pages = { ["index.md"] = M.index() }
  for _, group in ipairs(M.groups()) do
    for _, module in ipairs(group.modules) do pages[M.path(module.name)] = M.page(module) end
  end
  return pages
end

return M
