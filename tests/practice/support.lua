-- What the practice specs share: a coordinator as a function, and hotkeys that sign.
local fs = require "core.fs"
local sr25519 = require "core.sr25519"

local auth = require "bittern.auth"
local canonical = require "bittern.canonical"
local json = require "bittern.json"

local database = require "bittern.practice.database"
local routes = require "bittern.practice.routes"
local task_store = require "bittern.practice.task_store"

local support = require "tests.support"

local M = { NOW = 1781500000, ADMIN = "the admin's word" }

local function key(byte)
  return assert(sr25519.from_seed(string.char(byte):rep(32)))
end

M.alice, M.bob, M.validator, M.carol = key(1), key(2), key(3), key(4)

local Coordinator = {}
Coordinator.__index = Coordinator

--- The signature headers of a request, as httpd shows them.
-- @param who key, or nil for none
function Coordinator:sign(method, path, who, body, options)
  local headers = {}
  if not who then return headers end
  for _, line in ipairs(assert(auth.headers(who, {
    method = method, path = path, query = options and options.query, body = body,
    now = options and options.now or self.now,
  }))) do
    local name, value = line:match("^(.-): (.*)$")
    headers[name:lower()] = value
  end
  return headers
end

--- One request.
-- @param options {key= who signs, body= value or raw= bytes, sent= other bytes than those signed,
--   query=, headers= {name = text, or false to take it away}, now=}
-- @return status, decoded body, response
function Coordinator:call(method, path, options)
  options = options or {}
  local body = options.raw or options.body and assert(canonical.encode(options.body)) or nil
  local headers = self:sign(method, path, options.key, body, options)
  for name, value in pairs(options.headers or {}) do headers[name] = value or nil end
  local response = self.handler {
    method = method, path = path, query = options.query or "", headers = headers,
    body = options.sent or body or "",
  }
  local kind = response.headers["Content-Type"] or ""
  local value = kind:find("json") and json.decode(response.body) or response.body
  return response.status, value, response
end

function Coordinator:task(slug)
  local _, tasks = self:call("GET", "/api/v1/tasks")
  for _, task in ipairs(tasks) do
    if task.slug == slug then return task end
  end
  error("no task " .. slug)
end

function Coordinator:claim(who, task)
  local status, claim = self:call("POST", "/api/v1/tasks/" .. task.id .. "/claim",
    { key = who, body = { claim_description = "a try" } })
  assert(status == 201, json.encode(claim))
  return claim
end

--- A coordinator without HTTP.
-- @param options more for its context, such as {stake_gate = true}
function M.coordinator(options)
  local self = setmetatable({ dir = support.folder(), now = M.NOW }, Coordinator)
  assert(fs.mkdir(self.dir .. "/files"))
  self.db = assert(database.open(self.dir))
  assert(task_store.add_shipped(self.db, M.NOW))
  assert(database.allow_validator(self.db, M.validator:address()))
  self.context = { db = self.db, dir = self.dir, admin_token = M.ADMIN,
    now = function() return self.now end }
  for name, value in pairs(options or {}) do self.context[name] = value end
  self.handler = routes.new(self.context)
  return self
end

--- A good body for POST /api/v1/tasks.
function M.task(extra)
  local body = {
    slug = "own-task", title = "A task of one's own", repository = "https://example.org/own.git",
    base_ref = "production", benchmark_command = "sh bench.sh", metric_name = "heldout_ppl",
    metric_direction = "minimize", allowed_patch_paths = json.array { "train.py" },
    time_budget_seconds = 60,
  }
  for name, value in pairs(extra or {}) do body[name] = value end
  return body
end

--- A good submission for a claim.
function M.submission(claim, extra)
  local body = {
    claim_id = claim.id, base_ref = ("0123456789"):rep(4), summary = "na\u{ef}ve pack", patch = "",
    claimed_metrics = { heldout_ppl = 3.0, tiny = 1e-05 },
    artifact_uri = "https://files.example.org/a.zip", artifact_sha256 = ("ab"):rep(32),
    artifact_size_bytes = 301118,
  }
  for name, value in pairs(extra or {}) do body[name] = value ~= "" and value or nil end
  return body
end

return M
