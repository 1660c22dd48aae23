-- The dependency rules of the house: recipes -> lua -> core, and nothing points back.
local fs = require "core.fs"
local lfs = require "lfs"
local support = require "tests.support"

local function files_below(folder, suffix, list)
  list = list or {}
  for name in lfs.dir(support.root .. "/" .. folder) do
    local path = folder .. "/" .. name
    if name:sub(1, 1) ~= "." then
      local mode = lfs.attributes(support.root .. "/" .. path, "mode")
      if mode == "directory" then files_below(path, suffix, list) end
      if mode == "file" and name:find(suffix .. "$") then list[#list + 1] = path end
    end
  end
  table.sort(list)
  return list
end

local function text_of(path)
  return assert(fs.read(support.root .. "/" .. path))
end

-- Lua source without its comments, so that a word in prose is no violation.
local function code_of(path)
  return (text_of(path):gsub("%-%-[^\n]*", ""))
end

-- Headers of one primitive that another may include.
local shared_headers = {
  ["base.h"] = true, ["bind.h"] = true, ["buffer.h"] = true, ["kernels.h"] = true,
  ["quant_run.c"] = { ["pool.h"] = true }, ["archive.c"] = { ["pool.h"] = true },
  ["forward.c"] = { ["pool.h"] = true },
  ["forward_load.c"] = { ["quant.h"] = true }, ["forward_team.c"] = { ["pool.h"] = true },
  ["host.c"] = { ["libs.h"] = true },
  ["main.c"] = { ["host.h"] = true, ["sandbox_child.h"] = true },
  ["limit.c"] = { ["host.h"] = true },
  ["sandbox.c"] = { ["process_child.h"] = true },
  ["sandbox_bounds.c"] = { ["limit.h"] = true },
  ["sandbox_child.c"] = {
    ["host.h"] = true, ["limit.h"] = true,
    ["sandbox_bounds.h"] = true, ["sandbox_layers.h"] = true,
  },
  ["http.c"] = { ["fields.h"] = true }, ["http_ranges.c"] = { ["fields.h"] = true },
  ["httpd.c"] = { ["fields.h"] = true },
  ["httpd_daemon.h"] = { ["httpd_body.h"] = true },
  ["sr25519.c"] = {
    ["bip39.h"] = true, ["keybox.h"] = true, ["schnorrkel.h"] = true, ["ss58.h"] = true,
  },
  ["sha256_follow.c"] = { ["pool.h"] = true },
  ["sr25519.h"] = { ["schnorrkel.h"] = true },
  ["signer.c"] = {
    ["keybox.h"] = true, ["sandbox_layers.h"] = true, ["sr25519.h"] = true,
  },
  ["schnorrkel.c"] = { ["merlin.h"] = true }, ["merlin.h"] = { ["keccak.h"] = true },
}

local function may_include(file, header)
  local name = file:match("[^/]+$")
  local stem = name:match("^(.-)%.")
  local own = header:match("^(.-)%.h$")
  if own == stem or stem:sub(1, #own + 1) == own .. "_" or own:sub(1, #stem + 1) == stem .. "_" then
    return true
  end
  -- The kernels of every instruction set, the two bindings of http, and the files of the forward
  -- pass share their parts.
  for _, room in ipairs { "^kernels_", "^http_", "^forward_" } do
    if stem:find(room) and own:find(room) then return true end
  end
  return shared_headers[header] == true or (shared_headers[name] or {})[header] == true
end

describe("layers", function()
  it("core files include their own header and the shared ones only", function()
    for _, file in ipairs(files_below("core", "%.[ch]")) do
      for header in text_of(file):gmatch('#include "([^"]+)"') do
        assert.is_true(may_include(file, header), file .. " includes " .. header)
      end
    end
  end)

  it("kernels and the parts below a binding know nothing of Lua", function()
    local bindings = { http_options = true, http_ranges = true }
    local plain = { "kernels", "/base%.", "/fs_", "/http_", "/httpd_", "/keybox_",
      "/process_", "/sandbox_layers" }
    for _, file in ipairs(files_below("core", "%.[ch]")) do
      for _, pattern in ipairs(plain) do
        local is_plain = file:find(pattern) and not bindings[file:match("([^/]+)%.[ch]$")]
        local text = is_plain and text_of(file) or ""
        assert.is_nil(text:find("lua%.h") or text:find('"bind%.h"'), file)
      end
    end
  end)

  it("recipes require nothing", function()
    for _, file in ipairs(files_below("recipes", "%.lua")) do
      assert.is_nil(code_of(file):find("require"), file)
    end
  end)

  it("lua requires no recipe, test or example", function()
    for _, file in ipairs(files_below("lua", "%.lua")) do
      for name in code_of(file):gmatch('require%s*%(?%s*"([^"]+)"') do
        local outside = name:find("^tests%.") or name:find("^recipes?%.")
        assert.is_nil(outside, file .. " requires " .. name)
      end
    end
  end)

  -- Modes, recipes, publishers, workflows and commands are found by listing folders.
  it("nothing names a command, mode, publisher or workflow module", function()
    for _, file in ipairs(files_below("lua", "%.lua")) do
      for _, folder in ipairs { "cmd", "modes", "publish", "workflows" } do
        assert.is_nil(code_of(file):find('"bittern%.' .. folder .. '%.'), file)
      end
    end
  end)

  it("only report prints, only core.fs writes, only bittern.http reaches the network", function()
    for _, file in ipairs(files_below("lua", "%.lua")) do
      local code = code_of(file)
      if file ~= "lua/report.lua" then
        assert.is_nil(code:find("%f[%w]print%s*%("), file .. " prints")
        assert.is_nil(code:find("io%.std") or code:find("io%.write"), file .. " prints")
      end
      assert.is_nil(code:find('io%.open%([^)]*"[wa]'), file .. " writes past core.fs")
      assert.is_nil(code:find("os%.exit"), file .. " exits")
      if file ~= "lua/http.lua" then
        assert.is_nil(code:find('require%s*%(?"core%.http"'), file .. " reaches the network")
      end
    end
  end)

  it("only main.c ends the process", function()
    for _, file in ipairs(files_below("core", "%.c")) do
      if file ~= "core/main.c" then
        assert.is_nil(text_of(file):find("%f[%w_]exit%s*%("), file .. " exits")
      end
    end
  end)

  it("the top level holds what the design lists", function()
    local known = {}
    for name in ("core lua recipes tests examples docs Makefile README.md LICENSE CHANGELOG.md "
      .. ".ci .clang-format .editorconfig .luacheckrc .gitignore"):gmatch("%S+") do
      known[name] = true
    end
    local listing = support.run({ "git", "ls-files", "-z" }, { cwd = support.root }).stdout
    for path in listing:gmatch("[^%z]+") do
      local top = path:match("^[^/]+")
      assert.is_true(known[top], path .. " lies at the top level")
    end
  end)
end)
