-- A hotkey in a process of its own: what it signs, and what the others know.
local fs = require "core.fs"
local lfs = require "lfs"
local limit = require "core.limit"
local process = require "core.process"
local sr25519 = require "core.sr25519"
local sys = require "core.sys"

local auth = require "bittern.auth"
local hex = require "bittern.hex"
local nacl = require "tests.nacl"
local signer = require "bittern.wallet.signer"
local support = require "tests.support"
local wallet = require "bittern.wallet"

-- Half of what SHA-512 makes of the seed goes into every signature: the secret's second part.
local NONCE <const> = "9b4f0afe280b746a778684e75442502057b7473a03f08f96f5a38e9287e01f8f"
local SEED <const> = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"

local function key_file()
  local path = support.folder() .. "/hotkey"
  assert(fs.write(path, "0x" .. SEED .. "\n", { mode = 384 }))
  return path
end

local function request(changes)
  local fields = { method = "POST", path = "/api/v1/claims", query = "a=b&c",
    timestamp = 1700000000, body_sha256 = auth.EMPTY }
  for name, value in pairs(changes or {}) do fields[name] = value end
  return auth.message(fields)
end

-- Process ids of this process's children.
local function children()
  local list = {}
  for task in lfs.dir "/proc/self/task" do
    local text = task:find "^%d" and fs.read(("/proc/self/task/%s/children"):format(task))
    for pid in (text or ""):gmatch "%d+" do list[#list + 1] = pid end
  end
  return list
end

describe("a hotkey in a process of its own", function()
  it("signs requests", function()
    local opened = assert(signer.open { hotkey_file = key_file() })
    local key <close> = opened.key
    assert.equal(assert(wallet.open { hotkey_file = opened.path }).address, opened.address)
    for _, message in ipairs { request(), request { query = "" }, request { method = "GET" } } do
      local signature = assert(key:sign(message))
      assert.is_true(sr25519.verify(key:public(), message, signature))
      assert.not_equal(signature, key:sign(message))
    end
  end)

  it("signs nothing else", function()
    local key <close> = assert(signer.open { hotkey_file = key_file() }).key
    local good = request()
    for what, text in pairs {
      empty = "", words = "give me a signature", more = good .. "\nmore",
      fewer = good:match "^(.*)\n",
      version = good:gsub("V1", "V2"), method = good:gsub("POST", "post"),
      path = good:gsub("/api", "api"), blank = good:gsub("/api", "/a b"),
      bytes = good:gsub("/api", "/\xC3\xA9"), time = good:gsub("17000", "-7000"),
      upper = good:gsub("%x+$", string.upper), short = good:sub(1, -2),
      long = good:gsub("/api", "/" .. ("a"):rep(16384)), nul = good:gsub("/api", "/\0"),
    } do
      local signature, message, code = key:sign(text)
      assert.is_nil(signature, what)
      assert.same({ "not a request that the hotkey signs", "key" }, { message, code }, what)
    end
    assert(key:sign(good))
  end)

  it("has two descriptors and no powers, and ends when it is closed", function()
    local before = children()
    local key = assert(signer.open { hotkey_file = key_file() }).key
    assert(key:sign(request()))
    local now = children()
    assert.equal(#before + 1, #now)
    local pid = now[#now]
    local status = assert(fs.read(("/proc/%s/status"):format(pid)))
    assert.matches("\nNoNewPrivs:%s+1\n", status)
    assert.matches("\nSeccomp:%s+2\n", status)
    assert.matches("\nCapEff:%s+0+\n", status)
    local descriptors = {}
    for name in lfs.dir(("/proc/%s/fd"):format(pid)) do
      if name:find "^%d" then descriptors[#descriptors + 1] = name end
    end
    table.sort(descriptors)
    assert.same({ "0", "1" }, descriptors)
    key:close()
    assert.is_nil(fs.stat("/proc/" .. pid))
    assert.has_error(function() key:sign(request()) end)
  end)

  it("says what the file says, and what is wrong with it", function()
    local path = support.folder() .. "/none"
    local opened, message, code = signer.open { hotkey_file = path }
    assert.is_nil(opened)
    assert.equal("key_missing", code)
    assert.matches(path, message, 1, true)
    assert.has_error(function() signer.open { hotkey_fil = path } end)
    assert.same({}, children())
  end)

  it("gives the answer to the request that was asked last", function()
    local key <close> = assert(signer.open { hotkey_file = key_file() }).key
    local pid, here = children()[1], sys.pid()
    process.run { argv = { "kill", "-STOP", pid } }
    local stop <close> = process.spawn {
      argv = { "/bin/sh", "-c", ("sleep 0.3; kill -INT %d"):format(here) } }
    assert.same({ false, "interrupted", "interrupted" }, { limit.interruptible(function()
      assert(key:sign(request()))
    end) })
    assert(stop:wait(5))
    process.run { argv = { "kill", "-CONT", pid } }
    local last = request { method = "GET" }
    assert.is_true(sr25519.verify(key:public(), last, assert(key:sign(last))))
  end)

  it("does not read its password from its own connection", function()
    local folder = support.folder()
    nacl.encrypt_with(nacl.TESTING, { [folder .. "/key"] = "0x" .. SEED })
    for fd = 3, 40 do
      if not fs.stat("/proc/self/fd/" .. fd) then
        local opened, message, code = signer.open {
          hotkey_file = folder .. "/key", password_fd = fd }
        assert.is_nil(opened)
        assert.equal("config", code)
        assert.matches(("file descriptor %d: Bad"):format(fd), message, 1, true)
        break
      end
    end
  end)

  it("shows again what is typed when it ends before it has a password", function()
    if not support.has_terminals() then return pending("no pseudo-terminals here") end
    local folder = support.folder()
    nacl.encrypt_with(nacl.TESTING, { [folder .. "/key"] = "0x" .. SEED })
    assert(fs.write(folder .. "/open.lua",
      'assert(require "bittern.wallet.signer".open { hotkey_file = ... })'))
    for _, answer in ipairs { "TERM", "\\3" } do
      local done = support.at_terminal(folder, answer,
        { "run", folder .. "/open.lua", folder .. "/key" })
      assert.equal(130, done.status, done.stdout)
      assert.matches("[echo]", done.stdout, 1, true)
    end
  end)

  -- Opens the key in one of two ways, and waits.
  local function program(module)
    local script = support.folder() .. "/open.lua"
    assert(fs.write(script, ([[
      local opened = assert(require "%s".open { hotkey_file = ... })
      io.stdout:write(opened.address, "\n"):flush()
      require "core.sys".sleep(60)
    ]]):format(module)))
    local child = assert(process.spawn { argv = { support.bin, "run", script, key_file() },
      stdout = "pipe", stderr = "null" })
    assert(child:read_line(10))
    return child
  end

  -- How often some bytes are in the memory of a process.
  local function count(pid, bytes)
    local memory <close> = assert(io.open(("/proc/%d/mem"):format(pid), "rb"))
    local found = 0
    for line in io.lines(("/proc/%d/maps"):format(pid)) do
      local first, last = line:match "^(%x+)%-(%x+) r"
      if first then
        memory:seek("set", tonumber(first, 16))
        local text = memory:read(tonumber(last, 16) - tonumber(first, 16)) or ""
        if text:find(bytes, 1, true) then found = found + 1 end
      end
    end
    return found
  end

  it("leaves nothing of the secret in the process that talks to the network", function()
    if sys.uid() ~= 0 then return pending "only root reads the memory of a guarded process" end
    local here <close> = program "bittern.wallet"
    local apart <close> = program "bittern.wallet.signer"
    assert.equal(0, count(apart:pid(), hex.decode(NONCE)))
    assert.is_true(count(here:pid(), hex.decode(NONCE)) > 0)
  end)
end)
