-- From a model to the archive that is published: build/bittern run examples/artifact.lua FOLDER
-- Compressed within the binary budget, packed, verified as validators do, and read again.
local budget = require "bittern.compress.budget"
local engine = require "bittern.compress.engine"
local export = require "bittern.artifact.export"
local frontier = require "bittern.eval.frontier"
local model = require "bittern.model"
local pack = require "bittern.artifact.pack"
local packed = require "bittern.artifact.packed"
local paths = require "bittern.paths"
local verify = require "bittern.artifact.verify"

local folder = assert(..., "which folder to write to? bittern run examples/artifact.lua FOLDER")

local done = assert(engine.run { model = paths.root() .. "/examples/models/tiny-qwen3",
  recipe = "rowcol", budget = "binary", out = folder .. "/model" })
print(("%d of %d bytes, relative error %.4f"):format(done.bytes, done.budget, done.error))

local artifact = assert(pack.run { dir = folder .. "/model", out = folder .. "/artifact.zip" })
print(("sha256 %s"):format(artifact.sha256))

local told = assert(verify.run { path = artifact.path, sha256 = artifact.sha256,
  size = artifact.size, budget = "binary" })
for _, check in ipairs(told.checks) do print(check.state, check.id, check.text) end
for _, gate in ipairs(assert(budget.gates(artifact.size, told.parameters, "binary"))) do
  print(gate.ok and "passes" or "fails", gate.id, gate.limit)
end

local opened <close> = assert(model.open(artifact.path))
local held = assert(packed.describe(opened))
local name, matrix = next(held.matrices)
print(("%s: %d numbers again"):format(name, #assert(packed.matrix(opened, name, matrix))))

-- The same numbers for everybody who has no loader.
local dense = assert(export.dense { dir = folder .. "/model", out = folder .. "/dense.zip",
  dtype = "bf16" })
local points = { { bytes = artifact.size, nats = 2.1 }, { bytes = dense.size, nats = 2.1 } }
print(("%d on the frontier of size and score"):format(frontier.mark(points)))
