#!/usr/bin/env -S bittern run
-- Compresses the tiny model with a few settings of a recipe and scores each.
-- Run it: bittern run examples/compress.lua
local fs = require "core.fs"

local engine = require "bittern.compress.engine"
local paths = require "bittern.paths"
local report = require "bittern.report"
local score = require "bittern.eval.score"

local model = paths.root() .. "/examples/models/tiny-qwen3"
local text = assert(fs.read(model .. "/heldout.txt"))
local out = paths.cache() .. "/example-compress"

for _, setting in ipairs { { "binary", "least_squares" }, { "ternary", "least_squares" },
  { "ternary", "mean_abs" } } do
  local budget, scale = table.unpack(setting)
  local result = assert(engine.run {
    model = model, recipe = "rowmix", out = out, budget = budget, set = { scale = scale },
  })
  local scored = assert(score.score { model = out, text = text })
  report.out(("%-8s %-14s %7d bytes, %.2f %% of the budget, %.4f nats"):format(budget, scale,
    result.bytes, 100 * result.bytes / result.budget, scored.heldout_cross_entropy_nats))
end
return true
