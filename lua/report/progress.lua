-- What long work says of itself on stderr: a line that is redrawn on a terminal, a line every 30 s
-- off it, or a line of JSON every second for a program that shows it in its own way.
local sys = require "core.sys"
local json = require "bittern.json"

local M = {}

-- Seconds between two lines of each form.
local EVERY <const> = { redrawn = 0.1, lines = 30, json = 1 }

-- What is known: {label, unit, done, total, rate a second, seconds_left, note}.
local function facts_of(options, started, done, note)
  local rate = done / math.max(sys.clock() - started, 1e-3)
  local total = options.total and options.total > 0 and options.total or nil
  return {
    label = options.label, unit = options.unit or "items", done = done, total = total, rate = rate,
    seconds_left = total and rate > 0 and (total - done) / rate or nil, note = note,
  }
end

local function text_of(facts, age)
  local parts = { facts.label }
  if facts.total then parts[2] = ("%3d%%"):format(facts.done * 100 // facts.total) end
  parts[#parts + 1] = facts.unit == "B" and ("%.1f MB/s"):format(facts.rate / 1e6)
    or ("%.0f %s/s"):format(facts.rate, facts.unit)
  if facts.seconds_left then parts[#parts + 1] = age(facts.seconds_left) .. " left" end
  parts[#parts + 1] = facts.note
  return table.concat(parts, "  "):sub(1, sys.columns(2) - 1)
end

-- Which form the user asked for; "auto" depends on the terminal.
local function form_of(wanted, terminal)
  if wanted ~= "auto" then return wanted end
  if terminal == nil then terminal = sys.isatty(2) end
  return terminal and "redrawn" or "lines"
end

--- Begins to tell of some work.
-- @param options {label=, total= in units or nil (may be set later), unit= "B" or a word,
--   terminal= whether stderr is one; asked of the system when nil}
-- @param screen {wanted = "auto"|"json"|"none", age = seconds -> text, write(text),
--   redraw(text): the same line again, wipe()}
-- @return object with update(self, done, note = what is known so far, or nil) and finish(self)
function M.new(options, screen)
  local form = form_of(screen.wanted, options.terminal)
  local state = { started = sys.clock(), last = sys.clock() }

  function state:update(done, note)
    local now = sys.clock()
    if form == "none" or now - self.last < EVERY[form] then return end
    self.last = now
    local facts = facts_of(options, self.started, done, note)
    if form == "json" then return screen.write(json.encode { progress = facts }) end
    local show = form == "redrawn" and screen.redraw or screen.write
    show(text_of(facts, screen.age))
  end

  function state.finish()
    screen.wipe()
  end

  return state
end

return M
