-- bittern repl: Lua, line by line, with every module at hand.
local limit = require "core.limit"

local PROMPT <const>, MORE <const> = "> ", ">> "

local function show(ctx, env, results)
  local values = require "bittern.repl.show"
  for i = 2, results.n do ctx.report.out(values.value(results[i])) end
  if results.n >= 2 then env._ = results[2] end
end

-- Runs an input that is whole.
local function evaluate(ctx, env, text)
  local evaluation = require "bittern.repl.evaluate"
  local chunk, message = evaluation.compile(text, env)
  if not chunk then return ctx.report.failure(message, "script") end
  local results = table.pack(evaluation.run(chunk))
  if not results[1] then return ctx.report.failure(results[2], "script") end
  show(ctx, env, results)
end

-- Reads an input of one or more lines; false at the end, nil when it was given up.
local function read(prompt, env)
  local compile = require("bittern.repl.evaluate").compile
  local text = nil
  while true do
    local line = prompt:read(text and MORE or PROMPT)
    if not line then return line end
    text = text and text .. "\n" .. line or line
    if compile(text, env) ~= false then return text end
  end
end

-- One turn; false when it was the last.
local function turn(ctx, prompt, env, typed)
  local text = read(prompt, env)
  if text and text:find "%S" then
    typed[#typed + 1] = text
    prompt:add((text:gsub("\n", " ")))
    evaluate(ctx, env, text)
  end
  return text ~= false
end

local function keep(ctx, typed)
  local kept, message = require("bittern.repl.history").add(typed)
  if not kept then ctx.report.warn("what was typed is not kept: " .. message) end
end

local function converse(ctx)
  local history = require "bittern.repl.history"
  local env = require("bittern.repl.evaluate").globals()
  local complete = require("bittern.repl.complete").of(env)
  local prompt <close>, message, code = require("core.prompt").open(complete)
  if not prompt then return nil, message, code end
  for _, line in ipairs(history.read()) do prompt:add((line:gsub("\n", " "))) end
  ctx.report.say("Lua 5.4 with every module at hand; help() tells more, Ctrl-D leaves")
  local typed = {}
  repeat
    -- Ctrl-C between two inputs ends neither the prompt nor anything else.
    local done, more = limit.interruptible(turn, ctx, prompt, env, typed)
  until done and more == false
  ctx.report.say ""
  keep(ctx, typed)
  return true
end

-- Not at a terminal: what comes is one script.
local function run_script()
  local text = io.read "a"
  if text:sub(1, 1) == "#" then text = "--" .. text end
  local env = require("bittern.repl.evaluate").globals()
  local chunk, message = load(text, "=stdin", "t", env)
  if not chunk then return nil, message, "script" end
  local result, why, code = chunk()
  if result == nil and why ~= nil then return nil, why, code end
  return math.type(result) == "integer" and result or true
end

return {
  api = 1,
  about = "try Lua line by line, with every module at hand and help",
  group = "self",
  run = function(ctx)
    if ctx.report.can_ask() then return converse(ctx) end
    return run_script()
  end,
}
