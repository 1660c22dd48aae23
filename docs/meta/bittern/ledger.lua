---@meta bittern.ledger
-- Generated from lua/ledger.lua by docs/generate.lua (`make docs`); edit there.

--- The miner's own durable record: runs and their steps, artifacts, every POST (ledger/posts.lua),
--- compressions (ledger/compressions.lua), scores (ledger/scores.lua), costs of single matrices
--- (ledger/costs.lua), decisions, events.
--- Each write is on disk before it returns: an intent survives what happens to its POST.
---@class bittern.ledger
local M = {}

---@class bittern.ledger.ledger
local ledger = {}

--- Opens the ledger, and makes it the first time.
---@param path string of the file; default $XDG_STATE_HOME/bittern/ledger.db
---@param now function function that gives seconds since 1970; default the clock
---@return any? # ledger, or nil, message, code; example: examples/ledger.lua.
---@return string? message
---@return string? code
function M.open(path, now) end

--- Closes it; using it afterwards is an error.
function ledger:close() end

--- The first row of a query.
---@param sql string
---@return any? # row, false when there is none, or nil, message, code.
---@return string? message
---@return string? code
function ledger:first(sql, ...) end

--- Runs an INSERT and gives the new row's id.
---@param sql string
---@return integer? # integer, or nil, message, code.
---@return string? message
---@return string? code
function ledger:insert(sql, ...) end

--- Runs a statement that gives no rows.
---@param sql string
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function ledger:update(sql, ...) end

--- The newest run of a workflow for a task, with this coordinator and hotkey.
---@param key table {workflow=, slug=, coordinator=, hotkey=}
---@return any? # run {id=, settings=, state = "open"|"accepted"|"rejected"|"done"|"abandoned"}, false when there is none, or nil, message, code.
---@return string? message
---@return string? code
function ledger:last_run(key) end

--- The unfinished runs for a task, with this coordinator and hotkey.
---@param key table {slug=, coordinator=, hotkey=}
---@return table? # array of runs, or nil, message, code.
---@return string? message
---@return string? code
function ledger:open_runs(key) end

--- Starts a run.
---@param key any as last_run
---@param settings string text that is the same when the same work is asked for
---@return any? # run, or nil, message, code.
---@return string? message
---@return string? code
function ledger:start_run(key, settings) end

--- Notes that this process now works on a run.
---@param id string
---@param settings table table that JSON can hold
function ledger:take_run(id, settings) end

--- Ends a run.
---@param id string of the run
---@param state string "accepted", "rejected", "done" or "abandoned"
function ledger:end_run(id, state) end

--- A step as it was recorded.
---@param run integer id of a run in the ledger
---@param name string
---@return table? # {state = "running"|"done"|"failed"|"stale", inputs=, result=, line=}, false when there is none, or nil, message, code.
---@return string? message
---@return string? code
function ledger:step(run, name) end

--- Notes that a step begins. What it gave before stays readable, but no longer counts as done.
---@param run integer id of a run in the ledger
---@param name string
---@param inputs string text that tells whether a result can be used again
function ledger:begin_step(run, name, inputs) end

--- Notes that a step's result no longer holds.
---@param run integer id of a run in the ledger
---@param name string
function ledger:spoil_step(run, name) end

--- Records a finished step.
---@param run integer id of a run in the ledger
---@param name string
---@param result table table that JSON can hold
---@param line any what was printed
function ledger:end_step(run, name, result, line) end

--- Records a failed step with its message.
---@param run integer id of a run in the ledger
---@param name string
---@param message string
function ledger:fail_step(run, name, message) end

--- Records where an artifact was published.
---@param artifact table {run=, path=, size=, sha256=, url=}
function ledger:add_artifact(artifact) end

--- Adds a line to the run's history.
---@param run integer id of a run in the ledger
---@param kind any word
---@param text string
function ledger:event(run, kind, text) end

--- Any question, for people's scripts.
---@param sql string
---@return table? # array of rows, or nil, message, code.
---@return string? message
---@return string? code
function ledger:query(sql, ...) end

--- Takes the lock of a task's run: one process at a time works on it.
---@param key table {slug=, coordinator=, hotkey=}
---@return any? # lock (close it, or let the process end), or nil, message, "locked".
---@return string? message
---@return string? code
function ledger:lock(key) end

return M
