-- What is tried under faults: commands, and what may be found after each. A flow is
--
--   name      argv(place) -> arguments of bittern; the place is its home
--   judge     (place, what the command did) -> "none", "old" or "new"; or nil, what is wrong
--   prints    whether a success prints the same each time
--   prepare   (place): what is there before; learn(place): what is right, after a good run
local fs = require "core.fs"
local lfs = require "lfs"
local sha256 = require "core.sha256"
local store = require "core.store"

local canonical = require "bittern.canonical"

local mining = require "tests.mining"
local serving = require "tests.serving"
local small_model = require "tests.small_model"
local support = require "tests.support"

local M = {}

local OLD <const> = "what was there before"
local SLUG <const> = "tiny-binary-frontier"

-- Files that have their final names.
local function files_of(folder)
  local found = {}
  if not fs.stat(folder) then return found end
  for name in lfs.dir(folder) do
    local is_final = name:sub(1, 1) ~= "." and not name:find "%.part$"
    if is_final then found[name] = assert(sha256.file(folder .. "/" .. name)) end
  end
  return found
end

-- Gives a flow its judge: every file below `folder` of the place has the bytes of the good run, or
-- those of before.
local function by_files(flow, folder)
  local right
  function flow.learn(place) right = files_of(place .. folder) end
  function flow.judge(place)
    local found, state = files_of(place .. folder), "new"
    for name, hash in pairs(found) do
      if hash == sha256.hex(OLD) then state = "old"
      elseif hash ~= right[name] then return nil, ("%s has other bytes"):format(name) end
    end
    for name in pairs(right) do
      if not found[name] then state = "none" end
    end
    return state
  end
  return flow
end

-- Commands that only read: all that can be wrong is what they print.
local function reading(name, argv, prepare)
  return { name = name, argv = argv, prints = true, prepare = prepare,
    judge = function(_, done) return done.status == 0 and "new" or "none" end }
end

local function old_file(name)
  return function(place) assert(fs.write(place .. name, OLD)) end
end

local function compressing(world)
  local function argv(out)
    return function(place)
      return { "compress", world.model, "--budget", "8", "--threads", "2", "--quiet", "--out",
        place .. out }
    end
  end
  return by_files({ name = "compress to a folder", argv = argv "/out" }, "/out"),
    by_files({ name = "compress to a zip", argv = argv "/out/a.zip",
      prepare = function(place)
        assert(fs.mkdir(place .. "/out"))
        old_file "/out/a.zip"(place)
      end }, "/out")
end

local function packing(world)
  return by_files({
    name = "pack", prints = false,
    prepare = function(place)
      assert(fs.mkdir(place .. "/out"))
      old_file "/out/a.zip"(place)
    end,
    argv = function(place) return { "pack", world.model, "--out", place .. "/out/a.zip" } end,
  }, "/out")
end

local function downloading(world)
  local bytes = assert(fs.read(world.zip))
  local server = serving.listen(function(request)
    local first, last = (request.headers.range or ""):match "bytes=(%d+)%-(%d*)"
    if not first then
      return { status = 200, body = bytes, headers = { ["Accept-Ranges"] = "bytes" } }
    end
    first, last = tonumber(first), math.min(tonumber(last) or math.huge, #bytes - 1) // 1 | 0
    return { status = 206, body = bytes:sub(first + 1, last + 1), headers = {
      ["Content-Range"] = ("bytes %d-%d/%d"):format(first, last, #bytes) } }
  end)
  return by_files({
    name = "download", servers = { server },
    prepare = function(place) assert(fs.mkdir(place .. "/out")) end,
    argv = function(place)
      return { "download", server.url .. "/a.zip", "--quiet", "--to", place .. "/out/a.zip",
        "--sha256", sha256.hex(bytes) }
    end,
  }, "/out")
end

-- The publisher asks for the file as validators do, from a server of that folder.
local function publishing(world)
  local flow
  local server = serving.listen(function(request)
    local bytes = fs.read(flow.base .. request.path)
    return { status = bytes and 200 or 404, body = bytes or "" }
  end)
  flow = by_files({
    name = "publish to a folder", servers = { server },
    prepare = function(place)
      assert(fs.mkdir(place .. "/out"))
      old_file "/out/a.zip"(place)
    end,
    argv = function(place)
      return { "publish", world.zip, "--to", "directory", "--quiet", "--set",
        "folder=" .. place .. "/out", "--set", "name=a.zip", "--set",
        ("url=%s/%s/out"):format(server.url, place:match "[^/]*$") }
    end,
  }, "/out")
  return flow
end

-- Steps that were printed are on disk, and the file is whole.
local function judge_ledger(place, done)
  local path = place .. "/.local/state/bittern/ledger.db"
  if not fs.stat(path) then return "none" end
  local db <close> = assert(store.open(path))
  local whole = assert(db:query "PRAGMA integrity_check")
  if whole[1].integrity_check ~= "ok" then return nil, whole[1].integrity_check end
  local there = {}
  for _, row in ipairs(db:query "SELECT name, result FROM steps WHERE state = 'done'" or {}) do
    there[row.name] = canonical.decode(row.result).number == #row.name
  end
  for name in done.stdout:gmatch "%S+" do
    if not there[name] then return nil, ("step %s is lost"):format(name) end
  end
  local runs = db:query "SELECT count(*) AS n FROM runs"
  if runs and runs[1].n > 1 then return nil, "one run became two" end
  return there.a and there.bb and there.ccc and "new" or "none"
end

local function ledger_writing()
  local script = support.root .. "/tests/faults/ledger_write.lua"
  return { name = "write to the ledger", judge = judge_ledger,
    argv = function() return { "run", script } end }
end

-- A new key is whole or not there: `wallet show` reads what is. It is never written twice.
local function new_key()
  local function argv(place)
    return { "wallet", fs.stat(place .. "/hotkey") and "show" or "new", "--hotkey-file",
      place .. "/hotkey" }
  end
  return {
    name = "make a key", argv = argv,
    judge = function(place)
      if not fs.stat(place .. "/hotkey") then return "none" end
      local shown = support.bittern(place, argv(place))
      if shown.status ~= 0 then return nil, "the key is not whole: " .. shown.stderr end
      return "new"
    end,
  }
end

local CONFIG <const> = 'return { coordinator = "https://coordinator.example.org" }\n'

local function reading_flows(world)
  local key = { "--hotkey-file", world.key }
  return reading("read the configuration", function()
    return { "--json", "config", table.unpack(key) }
  end, function(place)
    assert(fs.mkdir(place .. "/.config/bittern"))
    assert(fs.write(place .. "/.config/bittern/config.lua", CONFIG))
  end), reading("read a key", function()
    return { "wallet", "show", table.unpack(key) }
  end), reading("hash", function()
    return { "hash", world.zip, world.key }
  end), reading("verify", function()
    return { "verify", world.zip }
  end), reading("eval", function()
    return { "eval", support.model, "--text", world.text, "--threads", "2", "--json" }
  end)
end

-- A sidecar of its own for each place, and a claim to send it for.
local function prepare_submission(miner, place)
  local bytes = "an artifact of " .. place
  local name = sha256.hex(bytes) .. ".zip"
  assert(fs.write(miner.home .. "/coordinator/files/" .. name, bytes))
  assert(fs.write(place .. "/submission.json", assert(canonical.encode {
    summary = "under faults", artifact_uri = miner.url .. "/files/" .. name,
    artifact_sha256 = sha256.hex(bytes), artifact_size_bytes = #bytes,
    claimed_metrics = { heldout_ppl = 8.0, parameter_count = 2428672 },
  })))
  local done = support.bittern(place, { "--coordinator", miner.url, "claim", SLUG,
    "--hotkey-file", miner.home .. "/hotkey", "--settle", "0.2", "--quiet" })
  assert(done.status == 0, done.stderr)
  assert(fs.write(place .. "/claim", done.stdout:match "%S+"))
end

local function judge_submission(miner, place, done)
  local hash = sha256.hex("an artifact of " .. place)
  local rows = miner:ask(([[SELECT id FROM submission
    WHERE json_extract(body, '$.artifact_sha256') = '%s']]):format(hash))
  if #rows > 1 then return nil, "it is submitted twice" end
  if done.status == 0 and (not rows[1] or not done.stdout:find(rows[1].id, 1, true)) then
    return nil, "success, and the coordinator does not have it"
  end
  return rows[1] and "new" or "none"
end

local function submitting(miner)
  return {
    name = "submit",
    prepare = function(place) prepare_submission(miner, place) end,
    judge = function(place, done) return judge_submission(miner, place, done) end,
    argv = function(place)
      return { "--coordinator", miner.url, "submit", SLUG, "--submission",
        place .. "/submission.json", "--claim", fs.read(place .. "/claim"), "--hotkey-file",
        miner.home .. "/hotkey", "--settle", "0.2", "--quiet" }
    end,
  }
end

-- What the flows work on.
local function new_world(miner)
  local world = { key = miner.home .. "/hotkey", text = miner.home .. "/text" }
  world.model = small_model.write {
    { name = "model.embed_tokens.weight", shape = { 64, 64 } },
    { name = "model.layers.0.mlp.up_proj.weight", shape = { 128, 64 } },
    { name = "model.layers.0.mlp.down_proj.weight", shape = { 64, 128 } },
    { name = "model.norm.weight", shape = { 64 } },
  }
  assert(fs.write(world.model .. "/tokenizer.json", "{}"))
  world.zip = miner.home .. "/model.zip"
  local packed = support.bittern(miner.home, { "pack", world.model, "--out", world.zip })
  assert(packed.status == 0, packed.stderr)
  return world
end

--- All flows, with a practice coordinator that runs until `stop` is called.
-- @return array of flows, by name, too; function stop()
function M.start()
  local miner = mining.start()
  local world = new_world(miner)
  local flows = { compressing(world) }
  local more = { packing(world), downloading(world), publishing(world), submitting(miner),
    ledger_writing(), new_key(), reading_flows(world) }
  table.move(more, 1, #more, #flows + 1, flows)
  for _, flow in ipairs(flows) do
    flow.base = support.folder()
    flows[flow.name] = flow
  end
  return flows, function() miner:stop() end
end

return M
