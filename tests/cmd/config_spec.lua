-- bittern config: every setting there is, and where it comes from.
local fs = require "core.fs"
local json = require "bittern.json"
local lfs = require "lfs"
local support = require "tests.support"

local function config(env, ...)
  local home = support.folder()
  local done = support.bittern(home, { "config", "--json", ... }, { env = env })
  local value = assert(json.decode(done.stdout), done.stderr)
  local by_name = {}
  for _, setting in ipairs(value.settings) do by_name[setting.name] = setting end
  return by_name, done, home
end

-- Names of variables in the sources of a folder.
local function variables(folder, found)
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if name:sub(1, 1) ~= "." and lfs.attributes(path, "mode") == "directory" then
      variables(path, found)
    elseif name:find("%.[lc]u?a?$") then
      for word in assert(fs.read(path)):gmatch('"([A-Z][A-Z0-9_]+)"') do found[word] = path end
    end
  end
  return found
end

describe("bittern config", function()
  it("tells the command line from the environment and from what is built in", function()
    local by_name, _, home = config({})
    assert.equal("https://autoresearch.bitsota.com", by_name.coordinator.value)
    assert.equal("built in", by_name.coordinator.from)
    assert.equal(home .. "/.local/state/bittern", by_name.state.value)
    assert.is_nil(by_name.cacert.value)
    by_name = config({ BITSOTA_COORDINATOR_URL = "https://e.example.org", BT_WALLET_NAME = "w",
      XDG_CACHE_HOME = "/c", BITTERN_S3_BUCKET = "b" })
    assert.same({ "https://e.example.org", "BITSOTA_COORDINATOR_URL" },
      { by_name.coordinator.value, by_name.coordinator.from })
    assert.same({ "w", "BT_WALLET_NAME" }, { by_name.wallet.value, by_name.wallet.from })
    assert.same({ "/c/bittern", "XDG_CACHE_HOME" }, { by_name.cache.value, by_name.cache.from })
    assert.same({ "b", "BITTERN_S3_BUCKET" },
      { by_name["s3 bucket"].value, by_name["s3 bucket"].from })
    by_name = config({ BITSOTA_COORDINATOR_URL = "https://e.example.org" }, "--coordinator",
      "https://o.example.org", "--hotkey", "h")
    assert.same({ "https://o.example.org", "--coordinator" },
      { by_name.coordinator.value, by_name.coordinator.from })
    assert.equal("--hotkey", by_name.hotkey.from)
  end)

  it("warns of a publisher whose settings it cannot tell", function()
    local home = support.folder()
    assert(fs.mkdir(home .. "/.config/bittern/publish"))
    assert(fs.write(home .. "/.config/bittern/publish/mine.lua", "return {"))
    local done = support.bittern(home, { "config" })
    assert.equal(0, done.status)
    assert.matches("publish/mine%.lua:1: ", done.stderr)
  end)

  it("knows every variable that the sources read", function()
    local known = { HOME = true, LANG = true, TERM = true, PATH = true }
    for _, setting in pairs((config({}))) do known[setting.variable or ""] = true end
    local found = variables(support.root .. "/lua", variables(support.root .. "/core", {}))
    local count = 0
    for name, path in pairs(found) do
      local ours = name:find("^BITTERN_%u+$") or name:find("^BITSOTA_") or name:find("^BT_WALLET_")
        or name:find("^HF_") or name:find("^XDG_") or name:find("^AWS_") or name:find("COLOR")
      if ours then
        count = count + 1
        assert.is_true(known[name], name .. " of " .. path)
      end
    end
    assert.is_true(count > 12)
  end)

  it("shows no secret", function()
    local env = {
      HF_TOKEN = "canary-1", AWS_SECRET_ACCESS_KEY = "canary-2", AWS_ACCESS_KEY_ID = "canary-3",
      AWS_SESSION_TOKEN = "canary-4", HF_ENDPOINT = "https://u:canary-5@hub.example.org",
    }
    local by_name, done = config(env, "--all")
    assert.equal("[redacted]", by_name["S3 secret"].value)
    assert.is_nil((done.stdout .. done.stderr):find("canary"))
    local text = support.bittern(support.folder(), { "config", "--all" }, { env = env })
    assert.equal(0, text.status)
    assert.is_nil((text.stdout .. text.stderr):find("canary"))
    assert.matches("\nhub +https://%[redacted%]@hub", text.stdout)
  end)
end)
