---@meta bittern.testing
-- Generated from lua/testing.lua by docs/generate.lua (`make docs`); edit there.

--- What `bittern test` gives to the tests of a script: its place, a small model, folders that go
--- away, a practice coordinator, and this program as a user with a home of its own runs it.
--- 
--- Each test file runs in a process with a fresh home and no variables but a few, and before a
--- practice coordinator runs there is none: nothing here reaches production or the user's files.
---@class bittern.testing
local M = {}

--- A model directory of 2.4 million parameters that compresses in half a second.
M.model = nil

--- Text to score that model on, which it was not trained on.
M.text = nil

--- Text to calibrate on.
M.calibration = nil

--- The test file that runs, and with it `script`, the path of the script beside it (nil when there is none), and `root`, the folder that holds recipes/, modes/ and so on. `bittern test` calls it.
---@param path string absolute path of the test file
function M.begin(path) end

--- The script beside the test, loaded and checked as its kind wants.
---@return any # the script's table; raises when it is not sound.
function M.load() end

--- An empty folder, gone when the file's tests are done.
---@return string # absolute path.
function M.folder() end

--- A file of a few bytes to publish.
---@return table # {path=, size= in bytes, sha256=}.
function M.artifact() end

--- Starts a practice coordinator that runs until the file's tests are done.
---@param options table {task = path of a task's JSON, repository = folder of the task's files}, both below `root`; without them it has its two tasks, tiny-binary-frontier (standard) and tiny-ternary-frontier (centerless)
---@return any # what rehearsal.start gives: url, client, task, submit, try, best, miner.
function M.practice(options) end

--- Runs this program as a user would: with the test's scripts, a home and a hotkey of its own, and the practice coordinator that was started last (or one that is started now).
---@param argv? table array of words after `bittern`; its fields env = {NAME = value}, input = text for stdin and cwd = folder are optional
---@return table # {status=, stdout=, stderr=, json= what stdout holds when that is JSON}.
function M.bittern(argv) end

--- Ends what the file's tests have started and removes their folders.
function M.finish() end

return M
