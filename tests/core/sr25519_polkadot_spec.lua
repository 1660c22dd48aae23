-- The signer against @polkadot/util-crypto (Rust's schnorrkel), in both directions. `make
-- deps-test` installs it under build/node.
local sr25519 = require "core.sr25519"
local sys = require "core.sys"
local json = require "bittern.json"
local support = require "tests.support"

local MODULE <const> = "/build/node/node_modules/@polkadot/util-crypto/index.js"

local function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function unhex(text)
  return (text:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- Keys of every length, messages around STROBE's rate, every other one with a password.
local function ours()
  local items = {}
  for _, count in ipairs { 12, 15, 18, 21, 24 } do
    for n, size in ipairs { 0, 1, 165, 256 } do
      local item = {
        mnemonic = sr25519.generate(count):text(), password = n % 2 == 0 and "pässword" or "",
        message = size == 0 and "" or sys.random(size),
      }
      local key <close> = assert(sr25519.from_mnemonic(item.mnemonic, item.password))
      item.public, item.address = hex(key:public()), key:address()
      item.signature, item.message = hex(key:sign(item.message)), hex(item.message)
      items[#items + 1] = item
    end
  end
  return items
end

describe("core.sr25519 and @polkadot/util-crypto", function()
  local items, answer

  setup(function()
    items = ours()
    local done = support.run({
      "node", support.root .. "/tests/fixtures/polkadot.mjs", support.root .. MODULE,
    }, { input = json.encode(items) })
    assert(done.status == 0, done.stderr)
    answer = assert(json.decode(done.stdout))
  end)

  it("agree on our keys, and it accepts our signatures", function()
    assert.equal(20, #answer.judged)
    for i, verdict in ipairs(answer.judged) do
      assert.equal(items[i].public, verdict.public)
      assert.equal(items[i].address, verdict.address)
      assert.is_true(verdict.valid)
      assert.is_false(verdict.valid_for_other)
    end
  end)

  it("agree on its keys, and we accept its signatures", function()
    assert.equal(20, #answer.made)
    for _, item in ipairs(answer.made) do
      local key <close> = assert(sr25519.from_mnemonic(item.mnemonic, item.password))
      local seeded <close> = assert(sr25519.from_seed(unhex(item.seed)))
      assert.equal(item.public, hex(key:public()))
      assert.equal(item.public, hex(seeded:public()))
      assert.equal(item.address, key:address())
      assert.equal(item.public, hex(assert(sr25519.public(item.address))))
      local message, signature = unhex(item.message), unhex(item.signature)
      assert.is_true(sr25519.verify(key:public(), message, signature))
      assert.is_false(sr25519.verify(key:public(), message .. "\0", signature))
    end
  end)
end)
