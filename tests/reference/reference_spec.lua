-- The API reference: every function that scripts may use says what it takes, gives and when it
-- fails; the pages and the annotations for editors hold them all.
local fs = require "core.fs"

local actions = require "bittern.compress.actions"
local context = require "bittern.compress.context"
local check = require "bittern.check"
local help = require "bittern.reference.help"
local kinds = require "bittern.script.kinds"
local meta = require "bittern.reference.meta"
local modules = require "bittern.reference.modules"
local pages = require "bittern.reference.pages"
local signature = require "bittern.reference.signature"
local source_c = require "bittern.reference.source_c"
local source_lua = require "bittern.reference.source_lua"

local support = require "tests.support"

local function public_modules()
  local list = {}
  for _, group in ipairs(modules) do
    for _, name in ipairs(group.modules) do list[#list + 1] = name end
  end
  return list
end

-- What is wrong with how a function is documented, or nil.
local function gap(item)
  if item.problem then return item.problem end
  for _, argument in ipairs(item.arguments) do
    if not argument.type and not argument.about then return "says nothing of " .. argument.name end
  end
  if item.can_fail and not item.fails then return "can fail, and does not say so" end
  if not item.returns and (item.about or "") == "" then return "says nothing" end
  return nil
end

local function assert_whole(module)
  for _, item in ipairs(module.functions) do
    local wrong = gap(item)
    assert.is_nil(wrong, ("%s: %s %s"):format(module.file, item.call or item.name, wrong))
  end
end

-- Names of the functions in a table that a module gives.
local function functions_in(value)
  local list = {}
  for name, member in pairs(type(value) == "table" and value or {}) do
    if type(member) == "function" then list[#list + 1] = name end
  end
  return list
end

-- Whether one of the classes has all of these methods and no other.
local function is_class(classes, names)
  for _, class in pairs(classes) do
    local all = #names == #check.sorted_keys(class)
    for _, name in ipairs(names) do all = all and class[name] end
    if all then return true end
  end
  return false
end

describe("the reference", function()
  it("tells arguments, results and failures of every function that C registers", function()
    local count = 0
    for _, name in ipairs(source_c.names()) do
      local module = source_c.read(name)
      assert_whole(module)
      count = count + #module.functions
    end
    assert.is_true(count > 150)
  end)

  it("reads the registration tables as Lua sees them", function()
    local methods = {}
    for _, name in ipairs(source_c.names()) do
      local read, own = source_c.read(name), {}
      for _, item in ipairs(read.functions) do
        if item.class then
          local class = methods[item.class] or {}
          methods[item.class], class[item.name] = class, true
        else
          own[item.name] = true
        end
      end
      for _, member in ipairs(functions_in(require("core." .. name))) do
        assert.is_true(own[member], ("core.%s.%s"):format(name, member))
      end
    end
    for key, value in pairs(debug.getregistry()) do
      local is_type = type(key) == "string" and key:find "^bittern%." and type(value) == "table"
      local own = is_type and functions_in(value.__index) or {}
      assert.is_true(#own == 0 or is_class(methods, own), key)
    end
  end)

  it("tells the same of every public function of the Lua modules", function()
    for _, name in ipairs(public_modules()) do
      local read, known = source_lua.read(name), {}
      assert_whole(read)
      assert.is_true(#read.functions > 0, name)
      for _, item in ipairs(read.functions) do known[item.name] = true end
      for _, member in ipairs(functions_in(require(name))) do
        assert.is_true(known[member] or member:sub(1, 2) == "__", name .. "." .. member)
      end
    end
  end)

  it("is what docs/api, docs/meta and docs/schemas hold: run `make docs`", function()
    local generate = assert(loadfile(support.root .. "/docs/generate.lua"))("as a module")
    for path, text in pairs(generate.all()) do
      assert.equal(text, (fs.read(support.root .. "/docs/" .. path)), path)
    end
  end)

  it("is in the annotations for editors, which are Lua", function()
    for path, text in pairs(meta.all()) do
      assert(load(text, "@" .. path, "t"))
      local name = text:match("^%-%-%-@meta (%S+)")
      for _, member in ipairs(name and functions_in(require(name)) or {}) do
        assert.is_truthy(text:find("[.:]" .. member .. "[( ]") or member:find "^__",
          name .. "." .. member)
      end
    end
  end)

  it("reads what a comment says of arguments", function()
    local read = assert(signature.read("box:put(key (string), bytes [, {most = 3}]) -> string, "
      .. "integer: two | nil, message, code. And so on.", { box = "core.box" }))
    assert.equal("box:put(key, bytes [, options])", read.call)
    assert.same({ "string", "core.bytes", "table" }, { read.arguments[1].type,
      read.arguments[2].type, read.arguments[3].type })
    assert.same({ "string", "integer" }, read.results)
    assert.is_true(read.fails and read.arguments[3].optional)
    assert.is_nil((signature.read("Puts it there.", {})))
  end)
end)

describe("what editors know of scripts", function()
  local text = assert(fs.read(support.root .. "/docs/meta/scripts.lua"))

  -- {field = whether it is optional} of a class.
  local function fields_of(class)
    local fields = {}
    local block = text:match("%-%-%-@class " .. class:gsub("%.", "%%.") .. "\n(.-)\n\n")
    for name, mark in (block .. "\n"):gmatch("%-%-%-@field ([%w_]+)(%??)") do
      fields[name] = mark == "?"
    end
    return fields
  end

  it("is what the loader takes", function()
    local classes = { recipe = "Recipe", mode = "Mode", publish = "Publisher",
      workflow = "Workflow", cmd = "Command" }
    for kind, class in pairs(classes) do
      local schema = {}
      for key, field in pairs(kinds.schema(kind)) do schema[key] = field.optional or false end
      assert.same(schema, fields_of("bittern." .. class), kind)
    end
    assert.same(kinds.names(), check.sorted_keys(classes))
  end)

  it("is what a recipe sees", function()
    local ctx = context(actions.functions { rank = 1, shape = { 1 } }, {}, nil)
    local seen = {}
    for key in pairs(ctx) do seen[key] = false end
    assert.same(seen, fields_of "bittern.RecipeContext")
  end)

  it("is Lua", function() assert(load(text, "@scripts.lua", "t")) end)

  it("is found by the .luarc.json that `bittern new` writes, once", function()
    local home = support.folder()
    local written = home .. "/own/.luarc.json"
    support.bittern(home, { "new", "recipe", "first", "--to", home .. "/own" })
    local settings = require("bittern.json").decode(assert(fs.read(written)))
    assert.is_truthy(fs.stat(settings["workspace.library"][1] .. "/scripts.lua"))
    assert(fs.write(written, "{}"))
    support.bittern(home, { "new", "recipe", "second", "--to", home .. "/own" })
    assert.equal("{}", (fs.read(written)))
  end)
end)

describe("help", function()
  it("tells of modules, functions and methods, by value and by name", function()
    local sha256 = require "core.sha256"
    assert.matches("^core.sha256\n\nSHA%-256 by OpenSSL", (help.of(sha256)))
    assert.matches("^core.sha256.hex%(bytes%)\n\n", (help.of(sha256.hex)))
    assert.equal(help.of(check.nearest), help.of "bittern.check.nearest")
    assert.matches("^core.sha256\nhash:update%(bytes%)", (help.of "hash:update"))
  end)

  it("says the nearest module where nothing is known", function()
    local text, message = help.of "core.sha255"
    assert.is_nil(text)
    assert.matches("did you mean 'core.sha256'?", message, 1, true)
    assert.matches("^nothing is known of this number", select(2, help.of(7)))
    assert.is_nil((help.of "../../etc/passwd"))
    assert.is_nil((help.of "core.sha256.nope"))
  end)

  it("has a page for each module of the reference", function()
    local pages_there = {}
    for _, name in ipairs(help.modules()) do pages_there[name] = true end
    for _, group in ipairs(pages.groups()) do
      for _, module in ipairs(group.modules) do assert.is_true(pages_there[module.name]) end
    end
  end)
end)
