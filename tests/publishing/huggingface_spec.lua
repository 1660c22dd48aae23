-- Publisher huggingface against a small, strict hub.
local fs = require "core.fs"
local json = require "bittern.json"
local hub_server = require "tests.hub_server"
local serving = require "tests.serving"
local support = require "tests.support"
local common = require "tests.publishing.common"

local artifact, publish = common.artifact, common.publish
local MIB <const> = 1 << 20

describe("publisher huggingface", function()
  local function open(options)
    local hub = hub_server.new(options)
    local front = serving.listen(function(request) return hub_server.handle(hub, request) end)
    local store = serving.listen(function(request) return hub_server.store(hub, request) end,
      { max_body = 64 * MIB })
    hub.url, hub.store_url = front.url, store.url
    hub.decode = function(text)
      return (support.python(("import base64; print(base64.b64decode('%s').hex())"):format(text))
        :gsub("%s", ""):gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
    end
    return hub, { front, store }
  end

  local function up(hub, servers, file, set)
    local all = { "repo=o/r" }
    for _, text in ipairs(set or {}) do all[#all + 1] = text end
    return publish(file, "huggingface", servers, { set = all,
      env = { HF_ENDPOINT = hub.url, HF_TOKEN = hub.token } })
  end

  it("commits a small file as it is; its URL answers by itself", function()
    local hub, servers = open()
    local file = artifact(700)
    local result = up(hub, servers, file)
    assert.equal(0, result.status, result.stderr)
    assert.matches("/o/r/resolve/" .. hub.repos["o/r"].head .. "/" .. file.sha256 .. ".zip",
      result.stdout, 1, true)
    assert.equal(1, hub.commits)
    assert.equal(512, #hub.decode(hub.sample))
  end)

  it("says before the upload that a large file will answer with a redirect", function()
    local hub, servers = open()
    local file = artifact(5000)
    local result = up(hub, servers, file)
    assert.equal(12, result.status)
    assert.matches("submission artifact redirects are not allowed", result.stderr, 1, true)
    assert.same({}, hub.stored)
    assert.equal(0, hub.commits)
  end)

  for _, case in ipairs { { "in one piece", 5000 }, { "in parts", 3 * MIB + 5 } } do
    it("uploads by LFS " .. case[1] .. ", verifies, commits once", function()
      local hub, servers = open()
      local file = artifact(case[2])
      local result = up(hub, servers, file, { "redirect=accept" })
      assert.equal(0, result.status, result.stderr)
      assert.equal(file.bytes, hub.stored[file.sha256])
      assert.equal(1, hub.commits)
      assert.is_nil(hub.leaked)
      assert.matches("a validator of the public replay engine would say", result.stderr)
      assert.is_nil((result.stdout .. result.stderr):find(hub.token, 1, true))
      -- The same again sends and commits nothing.
      hub.stored[file.sha256] = file.bytes
      assert.equal(0, up(hub, servers, file, { "redirect=accept" }).status)
      assert.equal(1, hub.commits)
    end)
  end

  -- An upload in parts that is killed when the store has some of them.
  local function killed_midway(hub, servers, file)
    local stopped = publish(file, "huggingface", servers, { set = { "repo=o/r", "redirect=accept",
      "parallel=2" }, env = { HF_ENDPOINT = hub.url, HF_TOKEN = hub.token },
      kill_when = function() return hub.received >= 5 * MIB end })
    assert.equal(9, stopped.signal)
    assert.is_true(hub.received < 12 * MIB)
  end

  it("sends parts that a killed run sent not again", function()
    local hub, servers = open()
    local file = artifact(12 * MIB)
    killed_midway(hub, servers, file)
    assert.equal(0, up(hub, servers, file, { "redirect=accept" }).status)
    assert.equal(file.bytes, hub.stored[file.sha256])
    assert.is_true(hub.received <= 14 * MIB, hub.received) -- what was under way: two parts
    assert.is_nil(hub.leaked)
    assert.equal(1, hub.commits)
  end)

  it("begins anew when the URLs of the parts have expired", function()
    local hub, servers = open()
    local file = artifact(12 * MIB)
    killed_midway(hub, servers, file)
    hub.expired = hub.uploads
    local result = up(hub, servers, file, { "redirect=accept" })
    assert.equal(0, result.status, result.stderr)
    assert.equal(file.bytes, hub.stored[file.sha256])
    -- Of a fresh answer it is an error, and is said.
    local other = artifact(3 * MIB)
    hub.expired = 99
    result = up(hub, servers, other, { "redirect=accept" })
    assert.equal(4, result.status, result.stderr)
    assert.matches("part %d: status 403", result.stderr)
  end)

  it("does not commit on top of somebody else's commit", function()
    local hub, servers = open()
    hub.repos["o/r"] = { head = ("a"):rep(40), files = {} }
    local inner = servers[1].handler
    servers[1].handler = function(request)
      if request.path:find("/preupload/") then hub.repos["o/r"].head = ("b"):rep(40) end
      return inner(request)
    end
    local result = up(hub, servers, artifact(700))
    assert.matches("A commit has happened since", result.stderr)
    assert.equal(0, hub.commits)
  end)

  it("wants a token, and says when the hub refuses it", function()
    local hub, servers = open()
    local file = artifact(10)
    local none = publish(file, "huggingface", servers, { set = { "repo=o/r" },
      env = { HF_ENDPOINT = hub.url } })
    assert.equal(4, none.status)
    hub.token = "another"
    local wrong = publish(file, "huggingface", servers, { set = { "repo=o/r" },
      env = { HF_ENDPOINT = hub.url, HF_TOKEN = "hf_canary" } })
    assert.equal(4, wrong.status)
    assert.is_nil(wrong.stderr:find("hf_canary", 1, true))
    assert.is_nil(json.decode(wrong.stdout or ""))
  end)

  -- The hub's own JavaScript client: the hub of these tests is not wrong in our way.
  it("has a hub that its own client understands and is understood by", function()
    local hub, servers = open()
    local folder, file, small = support.folder(), artifact(3 * MIB + 5), artifact(700)
    hub.repos["o/r"] = { head = ("a"):rep(40), files = {} }
    assert(fs.write(folder .. "/up.mjs", ([[
      import { commit } from "%s/build/node/node_modules/@huggingface/hub/dist/index.mjs"
      import { readFileSync } from "node:fs"
      const operations = process.argv.slice(2).map((path, i) => ({ operation: "addOrUpdate",
        path: "f" + i, content: new Blob([readFileSync(path)]) }))
      await commit({ repo: "o/r", accessToken: "%s", hubUrl: "%s", title: "t", useXet: false,
        parentCommit: "%s", operations })]]):format(support.root, hub.token, hub.url,
      hub.repos["o/r"].head)))
    local done = serving.run({ "node", folder .. "/up.mjs", file.path, small.path }, servers)
    assert.equal(0, done.status, done.stderr .. table.concat(hub.log, "\n"))
    assert.equal(file.bytes, hub.stored[file.sha256])
    local files = hub.repos["o/r"].files
    assert.equal(file.sha256, files.f0.oid)
    assert.equal(small.bytes, hub.decode(files.f1.content))
    assert.equal(1, hub.commits)
  end)
end)
