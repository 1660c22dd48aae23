-- A recipe's mistake, on its way to the handler that knows the recipe's lines.
local M = {}

--- {message, keys = words that its line holds, lines = {file = line on the stack}}
M.Fault = { __name = "fault" }

--- Raises a mistake and notes where every file on the stack was: the handler picks the recipe's.
-- @param message string
-- @param ... words that stand in the line at fault
function M.raise(message, ...)
  local lines = {}
  for level = 12, 2, -1 do
    local info = debug.getinfo(level, "Sl")
    if info and info.currentline > 0 then lines[info.source:sub(2)] = info.currentline end
  end
  error(setmetatable({ message = message, keys = { ... }, lines = lines }, M.Fault), 0)
end

return M
