-- Sums over documents: the mean over all of their targets, and how far it may be off.
local M = {}

local Totals = {}
Totals.__index = Totals

--- Sums of nothing.
function M.new()
  return setmetatable({ documents = 0, targets = 0, sum = 0.0, squares = 0.0, cross = 0.0,
    counts = 0 }, Totals)
end

--- Adds a document.
-- @param sum of its targets' values
-- @param targets how many
function Totals:add(sum, targets)
  self.documents = self.documents + 1
  self.targets = self.targets + targets
  self.sum = self.sum + sum
  self.squares = self.squares + sum * sum
  self.cross = self.cross + sum * targets
  self.counts = self.counts + targets * targets
end

--- Sums, then one division.
function Totals:mean()
  return self.sum / self.targets
end

--- The standard error of the mean. Tokens of a document go together, so documents are what is
-- sampled: a mean of sums over a mean of counts.
-- @return number, or nil of fewer than two documents
function Totals:standard_error()
  if self.documents < 2 then return nil end
  local mean = self:mean()
  local squares = self.squares - 2 * mean * self.cross + mean * mean * self.counts
  return math.sqrt(math.max(0, squares) * self.documents / (self.documents - 1)) / self.targets
end

return M
