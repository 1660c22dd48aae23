-- The kinds of user-facing scripts: what people call them, where they lie, what they hold.
local check = require "bittern.check"

local M = {}

-- `installed` lies below the installed tree, `folder` below the user's folders. `fields` are those
-- besides api, about and args. `word` is what people call the kind.
local kinds <const> = {
  recipe = {
    installed = "recipes", folder = "recipes", sandbox = true,
    fields = { tensor = { type = "function" } },
  },
  mode = {
    named_only = true, -- the coordinator says which mode: never let it choose a file
    installed = "lua/modes", folder = "modes",
    fields = {
      fields = { type = "table" }, rules = { type = "table" }, accept = { type = "function" },
      candidates = { type = "function", optional = true },
      reward = { type = "function", optional = true }, peers = { type = "table", optional = true },
    },
  },
  publish = {
    word = "publisher", installed = "lua/publish", folder = "publish",
    fields = { publish = { type = "function" } },
  },
  workflow = {
    installed = "lua/workflows", folder = "workflows",
    fields = { steps = { type = "table" } },
  },
  cmd = {
    word = "command", installed = "lua/cmd", folder = "cmd",
    fields = {
      args = { type = "function", optional = true }, run = { type = "function" },
      group = { type = "string" },
    },
  },
}

--- What is known of a kind; raises for one that is not.
-- @param kind "recipe"|"mode"|"publish"|"workflow"|"cmd"
-- @return {word=, installed=, folder=, sandbox=, named_only=, fields=}
function M.of(kind)
  return assert(kinds[kind], "unknown kind of script")
end

--- The kinds of scripts.
-- @return sorted array of names
function M.names()
  return check.sorted_keys(kinds)
end

--- What people call a kind of script: "publisher".
-- @param kind see M.of
-- @return string
function M.word(kind)
  return M.of(kind).word or kind
end

--- What a script of a kind may hold, as check.table takes it.
-- @param kind see M.of
-- @return {key = {type=, optional=}}
function M.schema(kind)
  local schema = {
    api = { type = "integer" }, about = { type = "string" },
    args = { type = "table", optional = true },
  }
  for key, field in pairs(M.of(kind).fields) do schema[key] = field end
  return schema
end

--- The kind of a script, by the folder that it lies in.
-- @param path string
-- @return kind, or nil where that is no folder of scripts
function M.kind_of(path)
  local folder = path:match("([^/]+)/[^/]+$")
  for kind, known in pairs(kinds) do
    if known.folder == folder then return kind end
  end
  return nil
end

--- The folder that holds a script's recipes/, modes/ and so on: what `--root` names.
-- @param path absolute path of a script, or of a file beside one
-- @return absolute path
function M.root_of(path)
  local folder = path:match("^(.*)/[^/]+$")
  return M.kind_of(path) and folder:match("^(.*)/") or folder
end

return M
