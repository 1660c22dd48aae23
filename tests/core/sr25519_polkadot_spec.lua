-- The signer against @polkadot/util-crypto (Rust's schnorrkel), in both directions. `make
-- deps-test` installs it under build/node.
local sr25519 = require "core.sr25519"
local sys = require "core.sys"
local auth = require "bittern.auth"
local canonical = require "bittern.canonical"
local encoding = require "bittern.hex"
local http = require "bittern.http"
local json = require "bittern.json"
local support = require "tests.support"

local MODULE <const> = "/build/node/node_modules/@polkadot/util-crypto/index.js"

local REQUESTS <const> = 1000

local hex, unhex = encoding.encode, encoding.decode

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

local function any(list) return list[math.random(#list)] end

-- Text of up to `most` characters of every kind that goes into queries and bodies.
local function text(most)
  local parts = {}
  for i = 1, math.random(0, most) do
    parts[i] = any {
      "a", "Z", "0", " ", "-", "_", ".", "~", "/", "&", "=", "%", "+", '"', "\\", "\n", "\127",
      "\u{E9}", "\u{20AC}", "\u{1F680}",
    }
  end
  return table.concat(parts)
end

local function number()
  return any {
    math.random(0), math.random(-99, 99), math.random(), -0.0, 3.0, 10.0 ^ math.random(-30, 30),
    string.unpack("<i8", sys.random(8)),
  }
end

local function body()
  local fields = { summary = text(40), patch = text(9), claimed_metrics = {}, list = {} }
  for _ = 1, math.random(0, 4) do fields.claimed_metrics["m" .. text(3)] = number() end
  for i = 1, math.random(0, 3) do
    fields.list[i] = any { number(), text(5), true, canonical.null }
  end
  canonical.array(fields.list)
  return assert(canonical.encode(fields))
end

local function path()
  local parts = { "/api/v1" }
  for _ = 1, math.random(4) do
    parts[#parts + 1] = any { "tasks", "claims", "submissions", hex(sys.random(16)), "a.b~c-%7E" }
  end
  return table.concat(parts, "/")
end

local function query()
  local pairs_list = {}
  for i = 1, math.random(0, 3) do
    pairs_list[i] = { any { "task_id", "status", "x" }, any { text(8), math.random(99) } }
  end
  return http.form(pairs_list)
end

-- Requests that our own headers sign; a missing body is empty for whoever hashes it.
local function requests()
  local items = {}
  for i = 1, REQUESTS do
    local seed = sys.random(32)
    local item = {
      method = any { "GET", "POST", "put", "Delete" }, path = path(), query = query(),
      timestamp = math.random(0, 1 << 33), body = math.random() < 0.7 and body() or nil,
    }
    local key <close> = assert(sr25519.from_seed(seed))
    local headers = assert(auth.headers(key, {
      method = item.method, path = item.path, query = item.query, body = item.body,
      now = item.timestamp + 0.9,
    }))
    assert(headers[2] == ("X-Timestamp: %d"):format(item.timestamp))
    item.address, item.seed = key:address(), hex(seed)
    item.signature = headers[3]:match("^X%-Signature: (%x+)$")
    item.body = item.body or ""
    items[i] = item
  end
  return items
end

describe("core.sr25519 and @polkadot/util-crypto", function()
  local items, asked, answer

  setup(function()
    items, asked = ours(), requests()
    local done = support.run({
      "node", support.root .. "/tests/fixtures/polkadot.mjs", support.root .. MODULE,
    }, { input = json.encode { keys = items, requests = asked }, max_output = 16 << 20 })
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

  it("agree on 1,000 random requests, each verified by the other", function()
    assert.equal(REQUESTS, #answer.requests)
    for i, verdict in ipairs(answer.requests) do
      local item = asked[i]
      local shown = json.encode(item)
      assert.equal(item.address, verdict.address, shown)
      assert.is_true(verdict.valid, shown)
      assert.is_false(verdict.valid_for_other, shown)
      local function verify(timestamp)
        return auth.verify {
          method = item.method, path = item.path, query = item.query, body = item.body,
          now = item.timestamp, headers = {
            ["x-hotkey"] = verdict.address, ["x-signature"] = verdict.signature,
            ["x-timestamp"] = ("%d"):format(timestamp),
          },
        }
      end
      assert.equal(verdict.address, verify(item.timestamp), shown)
      if i % 10 == 0 then assert.is_nil((verify(item.timestamp + 1)), shown) end
    end
  end)
end)
