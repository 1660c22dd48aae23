-- A secret is in the hotkey's file and nowhere else: not in what a run of `mine` prints, keeps,
-- sends or shows to other processes.
local fs = require "core.fs"
local sr25519 = require "core.sr25519"

local json = require "bittern.json"
local mining = require "tests.mining"
local support = require "tests.support"

local PHRASE <const> = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
local SEED <const> = "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"
local PRIVATE <const> = "05d65584630d16cd4af6d0bec10f34bb504a5dcb62dba2122d49f5a663763d0a"
  .. "fd190cce74df356432b410bd64682309d6dedb27c76845daf388557cbac3ca34"

local function raw(hex)
  return (hex:gsub("..", function(byte) return string.char(tonumber(byte, 16)) end))
end

-- What may be nowhere: neighbours of the phrase, halves of the keys, as text and as bytes.
local forbidden = {}
for first, second in PHRASE:gmatch("(%l+) %f[%l](%l+)") do
  forbidden[#forbidden + 1] = first .. " " .. second
end
for _, hex in ipairs { SEED, PRIVATE:sub(1, 64), PRIVATE:sub(65) } do
  for _, half in ipairs { hex:sub(1, 32), hex:sub(33) } do
    table.move({ half, half:upper(), raw(half) }, 1, 3, #forbidden + 1, forbidden)
  end
end

local function assert_none(text, where)
  for _, secret in ipairs(forbidden) do
    assert.is_nil(text:find(secret, 1, true), where)
  end
end

describe("a secret", function()
  local miner

  teardown(function() miner:stop() end)

  local function files_below(folder)
    return support.run({ "find", folder, "-type", "f" }).stdout:gmatch("[^\n]+")
  end

  it("leaves its file in no output, file, request or process list", function()
    miner = mining.start()
    local hotkey = miner.home .. "/hotkey"
    local key <close> = assert(sr25519.from_mnemonic(PHRASE))
    assert(fs.write(hotkey, assert(json.encode {
      secretPhrase = PHRASE, secretSeed = "0x" .. SEED, privateKey = "0x" .. PRIVATE,
      ss58Address = key:address(),
    }), { mode = 0x180 }))
    local child <close> = miner:watch("tiny-binary-frontier")
    repeat until assert(child:read_line(30)):find("^  rules ")
    local function process_file(name)
      return fs.read(("/proc/%d/%s"):format(child:pid(), name))
    end
    assert.matches("mine", assert(process_file("cmdline")), 1, true)
    assert_none(process_file("cmdline"), "cmdline")
    -- Other users' eyes, and without root's rights one's own, do not reach it.
    assert_none(process_file("environ") or "", "environ")
    child:kill(9)
    child:wait(10)
    for code, argv in pairs {
      [8] = miner:arguments("tiny-binary-frontier", { "--verbose" }),
      [7] = { "claim", "nothing", "--verbose" }, [0] = { "wallet", "show", "--verbose" },
      [2] = { "sign", "--method", "GET", "--path", "no path", "--verbose" },
    } do
      local done = miner:run(argv)
      assert.equal(code, done.status, done.stderr)
      assert_none(done.stdout .. done.stderr, argv[1])
    end
    assert.same({ 1, 1 }, { miner:count() })
    local seen = 0
    for path in files_below(miner.home) do
      if path ~= hotkey then assert_none(assert(fs.read(path)), path) end
      seen = seen + 1
    end
    assert.is_true(seen > 8)
  end)

  it("would be found if it were there", function()
    for _, secret in ipairs(forbidden) do
      assert.has_error(function() assert_none("x" .. secret .. "x", "here") end)
    end
  end)
end)
