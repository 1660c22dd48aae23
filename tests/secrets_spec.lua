-- A secret is in the hotkey's file and nowhere else: not in what a run of `mine` prints, keeps,
-- sends or shows to other processes.
local fs = require "core.fs"
local process = require "core.process"
local sr25519 = require "core.sr25519"
local sys = require "core.sys"

local json = require "bittern.json"
local mining = require "tests.mining"
local nacl = require "tests.nacl"
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

  -- The commands that sign, held in the middle by a coordinator that does not answer.
  describe("of an encrypted hotkey", function()
    local CANARY <const> = "pass-canary-7f3a"

    local function process_file(pid, name)
      return fs.read(("/proc/%s/%s"):format(pid, name)) or ""
    end

    -- Waits until its own child, which signs, has locked some memory: that one's process id.
    local function wait_for_key(pid)
      for _ = 1, 500 do
        local signer = process_file(pid, ("task/%s/children"):format(pid)):match "%d+"
        if signer and process_file(signer, "status"):find("VmLck:%s+[1-9]") then return signer end
        sys.sleep(0.02)
      end
    end

    local function assert_clean(text, where)
      assert_none(text, where)
      assert.is_nil(text:find(CANARY, 1, true), where)
    end

    local function watch(argv)
      local all = { "/bin/sh", "-c", 'ulimit -c 1000; exec "$0" "$@"', support.bin,
        "--coordinator", miner.url, "--verbose", table.unpack(argv) }
      table.move({ "--hotkey-file", miner.home .. "/nacl", "--password-file",
        miner.home .. "/password" }, 1, 4, #all + 1, all)
      return assert(process.spawn { argv = all, stdout = miner.home .. "/out",
        stderr = miner.home .. "/out", env = support.environment(miner.home, {
          BT_PW__HOTKEY = CANARY, HOTKEY_MNEMONIC = PHRASE, BITSOTA_COORDINATOR_URL = miner.url,
        }) })
    end

    it("and its password are in no process list, output, ledger, cache or core file", function()
      local text = assert(fs.read(miner.home .. "/hotkey"))
      assert(fs.write(miner.home .. "/password", CANARY .. "\n", { mode = 0x180 }))
      nacl.encrypt(CANARY, { [miner.home .. "/nacl"] = text })
      local draft = miner.home .. "/submission.json"
      assert(fs.write(draft, '{"summary":"s","artifact_uri":"http://127.0.0.1:1/a.zip",'
        .. '"artifact_sha256":"' .. ("ab"):rep(32) .. '","artifact_size_bytes":5}'))
      for name, argv in pairs {
        claim = { "claim", "tiny-ternary-frontier" }, cancel = { "cancel", "none" },
        submit = { "submit", "tiny-ternary-frontier", "--submission", draft },
      } do
        miner.server:kill(19) -- SIGSTOP
        local child <close> = watch(argv)
        local pids, seen = { child:pid(), wait_for_key(child:pid()) }, {}
        for i, pid in ipairs(pids) do
          seen[i] = { limits = process_file(pid, "limits"), cmdline = process_file(pid, "cmdline"),
            environ = process_file(pid, "environ") } -- only root may look
        end
        miner.server:kill(18) -- SIGCONT
        assert.equal(2, #pids, name)
        for _, files in ipairs(seen) do
          assert.matches("Max core file size%s+0 ", files.limits)
          assert_clean(files.cmdline, "cmdline")
          assert_clean(files.environ, "environ")
        end
        local ended = assert(child:wait(60))
        assert.is_true(ended.status == 0 or name ~= "claim", name)
      end
      local sign = watch { "sign", "--method", "GET", "--path", "/p" }
      assert.equal(0, assert(sign:wait(60)).status)
      for path in files_below(miner.home) do
        local is_secret = path == miner.home .. "/password" or path == miner.home .. "/hotkey"
        if not is_secret then assert_clean(assert(fs.read(path)), path) end
        assert.is_nil(path:find("/core[^/]*$"), path)
      end
    end)
  end)

  it("is in no memory but the locked one, once its file was read", function()
    local home = support.folder()
    local key <close> = assert(sr25519.from_mnemonic(PHRASE))
    local words, seed = "botto[m] drive obey", "fac7959dbf[e]72f052e5a0"
    local canary = "pass%-canar[y]"
    local text = json.encode {
      secretPhrase = PHRASE, secretSeed = "0x" .. SEED, ss58Address = key:address(),
    }
    assert(fs.write(home .. "/plain", text, { mode = 0x180 }))
    assert(fs.write(home .. "/password", "pass-canary\n", { mode = 0x180 }))
    nacl.encrypt("pass-canary", { [home .. "/nacl"] = text })
    local function found(how, file)
      local done = support.bittern(home, { "run", support.root .. "/tests/fixtures/memory.lua", how,
        file, home .. "/password", words, seed, canary })
      assert.equal(0, done.status, done.stderr)
      return done.stdout
    end
    assert.equal("", found("keybox", home .. "/plain"))
    assert.equal("", found("keybox", home .. "/nacl"))
    assert.equal(words .. "\n" .. seed .. "\n", found("lua", home .. "/plain"))
  end)

  it("would be found if it were there", function()
    for _, secret in ipairs(forbidden) do
      assert.has_error(function() assert_none("x" .. secret .. "x", "here") end)
    end
  end)
end)
