-- One file of tests in a process of its own, which `bittern test` starts:
--   bittern run lua/testing/alone.lua FILE RESULTS
local fs = require "core.fs"

local json = require "bittern.json"
local suite = require "bittern.testing.suite"
local testing = require "bittern.testing"

local file, results = ...
local list = {}
testing.begin(file)
suite.run({ file }, { test = function(record) list[#list + 1] = record end })
testing.finish()
return fs.write(results, assert(json.encode(json.array(list))))
