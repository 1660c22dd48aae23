-- Recipes that want to hang, to eat the machine, or to reach what is not theirs: made of data, so
-- that every trick meets every way of hiding from its end. A script that reaches something says
-- ESCAPED.
local list = {}

-- A recipe with this body of its tensor function, which sees ctx and t.
local function body(name, text)
  list[#list + 1] = { name = name,
    text = "return { api = 1, about = 'x', tensor = function(ctx, t)\n" .. text .. "\nend }" }
end

local function whole(name, text)
  list[#list + 1] = { name = name, text = text }
end

-- Every trick in every wrapping, with {} for the trick.
local function each(what, tricks, wrappings)
  for i, trick in ipairs(tricks) do
    for j, wrapping in ipairs(wrappings) do
      body(("%s %d.%d: %s"):format(what, i, j, trick:sub(1, 40)),
        (wrapping:gsub("{}", function() return trick end)))
    end
  end
end

-- Those of the measured holes that a sandbox must close first.
local first <const> = {
  "while true do end",
  "local c = coroutine.wrap(function() while true do end end) c()",
  "local guard <close> = setmetatable({}, { __close = function() while true do end end })",
  "while true do pcall(function() while true do end end) end",
  "while true do local c = coroutine.create(function() end) coroutine.resume(c) end",
  "setmetatable({}, { __gc = function() while true do end end })",
  "return ('a'):rep(300):find('.-.-.-b')",
  "return ('a'):rep(600):find('.-.-.-b')",
  "return ('a'):rep(300):find('.-.-.-.-b')",
  "local l = {} for i = 1, 1e5 do l[i] = 'x' end while true do table.concat(l) end",
  "table.move({}, 1, 2^52 // 1 | 0, 2)",
  "while true do string.rep('', 1e9) end",
  "return ('x'):rep(1e9)",
  "return (('x'):rep(1e6):gsub('x', ('y'):rep(1e4)))",
  "if load(string.dump(function() return 1 end))() == 1 then ctx.error 'ESCAPED load' end",
  "getmetatable('').__index = function() ctx.error 'ESCAPED metatable' end return ('x').y",
  "if tostring({}):find '0x' then ctx.error 'ESCAPED address' end while true do end",
  "if ('%p'):format({}) ~= '' then ctx.error 'ESCAPED address' end",
  "local s = 'x' while true do s = s .. s end",
  "local f f = function() return pcall(f) end f() while true do end",
}
for i, text in ipairs(first) do body("first " .. i, text) end

-- Loops that no error may be swallowed in.
each("loop", {
  "while true do end",
  "repeat until false",
  "for _ = 1, math.huge do end",
  "::again:: goto again",
  "local function f() return f() end f()",
  "local f, g f = function() return g() end g = function() return f() end f()",
  "for _ in function() return 1 end do end",
  "while true do local _ = ('x'):upper() end",
}, {
  "{}",
  "while true do pcall(function() {} end) end",
  "local function f() {} end while true do xpcall(f, f) end",
  "pcall(pcall, function() {} end) while true do end",
  "table.sort({ 3, 2, 1 }, function() {} end)",
  "('xxx'):gsub('.', function() {} end) while true do end",
  "xpcall(error, function() {} end) while true do end",
  "for _ in pairs({ 1 }) do pcall(function() {} end) end while true do end",
})

-- What takes its time in C, where no instruction is counted.
each("in C", {
  "string.rep('', 1e9)", "('a'):rep(1e5):find(('.-'):rep(2) .. 'b')",
  "('a'):rep(40):find(('a?'):rep(40) .. ('a'):rep(40))", "('('):rep(1e5):find('%b()%b()')",
  "('a'):rep(2000):match('(.-)(.-)%1%2b')", "('a'):rep(1e5):gsub('a-b', '')",
  "for _ in ('a'):rep(1e5):gmatch('a-a-b') do end",
  "('a'):rep(1e6):find(('a'):rep(5e5) .. 'b', 1, true)",
  "('a'):rep(1e5):find('[' .. ('b'):rep(1e4) .. ']')",
  "table.concat({}, '', 1, 2^52 // 1 | 0)", "table.move({}, 1, 1e9 // 1 | 0, 2)",
  "table.unpack({}, 1, 1e7 // 1 | 0)", "table.sort({ 1, 2, 3, 4, 5 }, function() return true end)",
  "('%99.99f'):rep(100):format(1e308)", "utf8.len(('x'):rep(1e7))", "tonumber(('1'):rep(1e7))",
  "('x'):rep(1e7):reverse():upper():lower()", "utf8.char(table.unpack({}, 1, 1e6 // 1 | 0))",
  "('x'):rep(1e7):byte(1, -1)", "string.pack(('c1000000'):rep(100))",
  "assert(('x'):rep(1e8) == ('x'):rep(1e8))", "select(-1, table.unpack({}, 1, 2e5 // 1 | 0))",
}, {
  "while true do {} end", "while true do pcall(function() {} end) end",
})

-- Work whose size grows.
body("table shifted for ever", "local l = {} for i = 1, 1e6 do l[i] = i end "
  .. "while true do table.insert(l, 1, 0) end")
body("an emptied table, walked through", "local l = {} for i = 1, 2e6 do l[i .. ''] = i end "
  .. "for i = 1, 2e6 do l[i .. ''] = nil end while true do next(l) end")
body("a table sorted for ever", "local l = {} for i = 1, 1e6 do l[i] = -i end "
  .. "while true do table.sort(l) end")

-- Memory.
each("memory", {
  "local s = 'x' while true do s = s .. s end", "local l = {} while true do l[#l + 1] = {} end",
  "local l = {} while true do l[#l + 1] = function() return l end end",
  "local l = {} while true do l = { l } end", "local l = {} while true do l[#l .. ''] = #l end",
  "local l = {} for i = 1, 1e9 do l[i] = i end", "return ('x'):rep(1e10)",
  "local s = ('x'):rep(1e6) return (s:gsub('x', s))",
  "local l = {} for i = 1, 1e5 do l[i] = ('x'):rep(1e4) end table.concat(l)",
  "local s = 'x' while true do s = ('%s%s'):format(s, s) end",
  "local s = 'x' while true do s = string.pack('s4s4', s, s) end",
}, { "{}", "while true do pcall(function() {} end) end" })

-- What must not be there.
for name in ([[io os require load loadstring loadfile dofile debug package coroutine print warn arg
  collectgarbage getmetatable setmetatable rawget rawset rawequal rawlen _G _VERSION module unpack
  receive send native jit ffi]]):gmatch("%S+") do
  body("reaches " .. name, ("local ok, value = pcall(function() return %s end)\n"
    .. "if ok and value ~= nil then ctx.error 'ESCAPED %s' end error 'nothing'"):format(name, name))
end
each("finds", {
  "_ENV.io", "_ENV._G", "('').dump", "string.dump", "math.random", "math.randomseed", "t.io",
  "ctx.args.io", "ctx.tensor", "ctx._G", "(''):getmetatable()", "('')[1]", "utf8.load",
  "tostring(ctx):match '0x'", "tostring(function() end):match '0x'",
  "('%s'):format(ctx):match '0x'",
  "('%p'):format('x')", "('%s'):format(string.rep):match '0x'",
  "('%q'):format(ctx):match '0x'",
  "select(2, pcall(error, ctx)).io", "next(ctx)", "(ctx)()", "#ctx", "ctx .. ''",
}, {
  "local ok, value = pcall(function() return {} end)\n"
    .. "if ok and value ~= nil and value ~= 0 then ctx.error 'ESCAPED' end error 'nothing'",
})
each("changes", {
  "ctx.keep = nil", "ctx.args = {}", "ctx.args.x = 1", "_ENV.x = 1", "x = 1", "string = nil",
  "ctx[1] = 1", "ctx.bits = 99", "('').rep = nil", "_ENV.string = nil",
}, { "if pcall(function() {} end) then ctx.error 'ESCAPED' end error 'nothing'" })

-- Bytecode, whole and broken.
local chunk = string.dump(load "return { api = 1, about = 'x', tensor = function() end }")
whole("bytecode", chunk)
for cut = 1, 8 do whole("bytecode cut " .. cut, chunk:sub(1, #chunk * cut // 9)) end
whole("bytecode after a shebang", "#!/bin/sh\n" .. chunk)

-- For the compiler.
for name, text in pairs {
  parentheses = "return " .. ("("):rep(1e5) .. "1" .. (")"):rep(1e5),
  tables = "return " .. ("{"):rep(1e5) .. ("}"):rep(1e5),
  functions = ("return function() "):rep(1e4) .. ("end "):rep(1e4),
  blocks = ("do "):rep(1e5) .. ("end "):rep(1e5),
  powers = "return 2" .. ("^2"):rep(1e5),
  concatenations = "return 'a'" .. (" .. 'a'"):rep(1e5),
  locals = ("local x = 1 "):rep(1e4),
  constants = "return { " .. ("'x', "):rep(1e4) .. "}",
  gotos = ("goto a "):rep(1e4) .. "::a::",
  elses = "if x then " .. ("elseif x then "):rep(1e4) .. "end",
  nots = "return " .. ("not "):rep(1e5) .. "1",
  string = "return '" .. ("x"):rep(1e6 - 20), comment = "--[" .. ("="):rep(1e5) .. "[",
  number = "return " .. ("9"):rep(5e5), zeros = ("\0"):rep(1e5), nothing = "",
  raises = "error({})", raises_nothing = "error()", returns_ctx = "return ctx",
} do
  whole("compiler " .. name, text)
end
for _, loop in ipairs { "while true do end", "local s = 'x' while true do s = s .. s end",
  "while true do pcall(string.rep, '', 1e9) end", "return ('a'):rep(600):find('.-.-.-b')" } do
  whole("while it is loaded: " .. loop, loop)
end

-- For the parent, by what it is told.
whole("arguments without end", "local a = {} a.a = a return { api = 1, about = 'x', args = a,"
  .. "tensor = function() end }")
whole("arguments deep in each other", "local a = {} for _ = 1, 1e5 do a = { a } end "
  .. "return { api = 1, about = 'x', args = a, tensor = function() end }")
whole("arguments too long", "return { api = 1, about = ('x'):rep(3e6), tensor = function() end }")
whole("arguments too many", "local a = {} for i = 1, 1e6 do a[i] = i end return a")
each("tells", {
  "while true do ctx.keep() end", "local o = {} o.o = o ctx.keep(o) while true do end",
  "ctx.keep { [0 / 1] = function() end }", "ctx.keep(ctx)", "ctx.keep(ctx.keep())",
  "ctx.keep(('x'):rep(3e6))", "error(('x'):rep(3e6))", "error(ctx)", "error(nil)",
  "ctx.error(('x'):rep(3e6))", "ctx.error('\\27[2J\\27]0;x\\7')", "error({ fault = 'x' })",
  "return function() end", "return ctx", "return t", "return ('x'):rep(1e6)",
  "ctx.match(('a'):rep(1e5), '*a*a*a*b')", "ctx.match({}, {})", "ctx.keep(1, 2, 3)",
}, { "do {} end\nerror 'nothing'" })

-- The stack.
each("stack", {
  "local function f() f() end f()", "local function f() return pcall(f) end f()",
  "local function f() ('x'):gsub('.', f) end f()",
  "local function f() table.sort({ 1, 2 }, f) end f()",
  "local function f() xpcall(error, f) end f()", "local function f(...) f(1, ...) end f()",
  "local function f() return select('#', f()) end f()",
}, { "{} while true do end" })

return list
