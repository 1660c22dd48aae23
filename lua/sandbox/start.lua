-- Starts the child of a sandbox: looks at what holds in it, and gives it our part of its Lua.
local fs = require "core.fs"
local sandbox = require "core.sandbox"

local paths = require "bittern.paths"

local M = {}

local SECONDS <const> = 5

-- Modules of ours that run inside, each after those that it needs.
local MODULES <const> = {
  "strict", "check", "sandbox.message", "sandbox.globals", "compress.fault", "compress.context",
}

-- Without this one a child could still ask the kernel for anything.
local NEEDED <const> = "seccomp"

local function text_of(name)
  return fs.read(("%s/lua/%s.lua"):format(paths.root(), name:gsub("%.", "/")), 1 << 20)
end

--- Starts a child, which knows nothing yet.
-- @return {box = core.sandbox's, layers = array of {name=, error= errno, 0 when it holds}}, or nil,
--   message, code
function M.child()
  local box, why, code = sandbox.start()
  if not box then return nil, "sandbox: " .. why, code end
  local hello
  hello, why, code = box:receive(SECONDS)
  if not hello then return nil, "sandbox: " .. why, code end
  local layers = {}
  for name, number in hello:gmatch("(%S+) (%d+)\n") do
    layers[#layers + 1] = { name = name, error = math.tointeger(number) }
  end
  return { box = box, layers = layers }
end

--- Why no stranger's script can run in such a child.
-- @param layers as M.child gives them
-- @return string, or nil when one can
function M.refusal(layers)
  for _, layer in ipairs(layers) do
    if layer.name == NEEDED and layer.error == 0 then return nil end
  end
  return "this kernel has no seccomp, without which a stranger's script is not run"
end

--- Sends a child what it needs to serve.
-- @return true, or nil, message, code
function M.teach(box)
  local texts = { (assert(text_of "sandbox.child")) }
  for _, name in ipairs(MODULES) do
    table.move({ "bittern." .. name, (assert(text_of(name))) }, 1, 2, #texts + 1, texts)
  end
  texts[#texts + 1] = ""
  for _, text in ipairs(texts) do
    local sent, why, code = box:send(text, SECONDS)
    if not sent then return nil, "sandbox: " .. why, code end
  end
  return true
end

return M
