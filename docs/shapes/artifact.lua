-- What the commands of the group `artifact` print with --json.
local shape = ...
local list, either = shape.list, shape.either

return {
  pack = either {
    { path = "string", size = "integer", sha256 = "sha256", files = "integer: how many" },
    { path = "string", size = "integer", matrices = "integer",
      rounded = list { name = "string", codec = "string" }, losses = list "string" },
    { dry_run = "boolean",
      files = list { name = "string", path = "string", size = "integer" } },
  },
  hash = { files = list "file" },
  verify = {
    ok = "boolean", ["path?"] = "string", ["url?"] = "string", ["size?"] = "integer",
    ["sha256?"] = "sha256", ["files?"] = "integer", ["matrices?"] = "integer: packed ones",
    ["plain?"] = "integer: other tensors", ["parameters?"] = "integer", ["gates?"] = "any",
    checks = list { id = "string", state = "string: pass, stop or skip", text = "string",
      ["code?"] = "string: an error id" },
    ["error?"] = "error: of the first check that stops",
  },
  publish = either {
    { url = "string", size = "integer", sha256 = "sha256",
      replay = { accepted = "boolean: by the public replay engine", ["says?"] = "string" } },
    { dry_run = "boolean", publisher = "string: its path", size = "integer", sha256 = "sha256" },
  },
  download = either {
    { files = list { path = "string", url = "string", size = "integer", sha256 = "sha256",
      verified = "boolean: somebody said what the hash must be", ["resumed?"] = "any" } },
    { dry_run = "boolean", files = list { path = "string", url = "string",
      ["size?"] = "integer", ["sha256?"] = "sha256" } },
  },
}
