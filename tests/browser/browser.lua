-- Headless Chromium for specs: runs a scenario of this folder and gives what it found.
local fs = require "core.fs"
local json = require "bittern.json"
local support = require "tests.support"

local M = {}

--- Where pictures of pages are kept.
-- @return absolute path
function M.pictures()
  local folder = support.bin:match "^(.*)/" .. "/pictures"
  assert(fs.mkdir(folder))
  return folder
end

--- Runs a scenario.
-- @param name of the file, such as "dashboard"
-- @param given what it gets; `folder` and `profile` are added
-- @return what it found; nil and why, where Chromium cannot start
function M.run(name, given)
  given.folder, given.profile = M.pictures(), support.folder()
  local done = support.run({ "node", ("%s/tests/browser/%s.mjs"):format(support.root, name),
    assert(json.encode(given)) }, { timeout = 60,
    env = support.environment(given.profile) })
  if done.status == 77 then return nil, "Chromium cannot start here: " .. done.stderr end
  assert(done.status == 0, done.stderr)
  return json.decode(done.stdout)
end

--- What every page has to be: readable, as narrow as a telephone, reached by keyboard.
-- @param seen what looks.mjs found of it
function M.judge(assert, name, seen)
  assert.is_true(seen.texts > 10, name)
  assert.same({}, seen.low, name .. ": contrast")
  assert.same({}, seen.wide, name .. ": width")
  assert.equal(seen.tabs.wanted, seen.tabs.reached, name .. ": keyboard")
  assert.equal(0, seen.tabs.plain, name .. ": focus is seen")
end

return M
