-- The part of a sandbox that runs inside it: compiles the stranger's script, calls its functions
-- within limits, and asks the parent for what only the parent can do (bittern.sandbox).
local receive, send = ...

local loaded = { ["core.limit"] = _G["core.limit"] }
local ours = setmetatable({ require = function(name) return loaded[name] end }, { __index = _G })

-- Modules of ours come first, in the order of their needs. Lua knows them all by one name, so that
-- no message shows a line of theirs.
for name in receive do
  if name == "" then break end
  loaded[name] = assert(load(receive(), "=bittern", "t", ours))()
end

local context = loaded["bittern.compress.context"]
local fault = loaded["bittern.compress.fault"]
local globals = loaded["bittern.sandbox.globals"]
local limit = loaded["core.limit"]
local message = loaded["bittern.sandbox.message"]
local strict = loaded["bittern.strict"]

-- The script, and what the parent calls the tokens that its functions of ctx gave.
local path, script
local tokens = setmetatable({}, { __mode = "k" })

-- What a script raised, in a form that can be sent.
local function raised(problem, code)
  local said = { failed = true, code = code, kind = type(problem) }
  if debug.getmetatable(problem) == fault.Fault then
    said.fault, said.keys, said.line = problem.message, problem.keys, problem.lines[path]
  elseif said.kind == "string" then
    said.text = problem:gsub("^bittern:%d+: ", "")
  end
  return said
end

-- What cannot be sent is a mistake of the script, too.
local function answer(value)
  local sent, problem = limit.call({}, function() send(message.encode(value)) end)
  if not sent then send(message.encode(raised(problem))) end
end

-- One of the parent's functions of ctx.
local function remote(name)
  return function(options)
    send(message.encode { ask = name, options = options })
    local reply = message.decode(receive())
    if reply.fault then fault.raise(reply.fault, table.unpack(reply.keys)) end
    local token = setmetatable({}, { __name = "action", __metatable = false })
    tokens[token] = reply.token
    return token
  end
end

local requests = {}

function requests.load(request)
  path = request.path
  local chunk, reason = load(request.text, "@" .. path, "t", strict(globals()))
  if not chunk then return answer(raised(reason)) end
  local ok, value, code = limit.call(request.limits, chunk)
  if not ok then return answer(raised(value, code)) end
  script = value
  local lines = {}
  for name, field in next, type(script) == "table" and script or {} do
    local info = type(field) == "function" and debug.getinfo(field, "S")
    if info then lines[name] = { info.linedefined, info.lastlinedefined } end
  end
  answer { value = script, lines = lines }
end

function requests.call(request)
  local functions = {}
  for _, name in ipairs(request.functions) do functions[name] = remote(name) end
  local ctx = context(functions, request.args, request.bits)
  local ok, result, code = limit.call(request.limits, script[request.name], ctx, request.subject)
  if not ok then return answer(raised(result, code)) end
  answer { token = tokens[result], kind = type(result) }
end

while true do
  local request = message.decode(receive())
  requests[request.request](request)
end
