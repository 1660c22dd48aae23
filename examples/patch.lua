-- A patch as validators read it, and what a page says: `bittern run examples/patch.lua`.
local fnmatch = require "bittern.fnmatch"
local onboard = require "bittern.onboard"
local preflight = require "bittern.patch.preflight"

-- * crosses folders, and **/ wants one.
assert(fnmatch.match("deep/er/train.py", "*.py"))
assert(not fnmatch.match("train.py", "**/train.py"))

-- A deleted comment of Lua reads as a file's name.
local patch = [[
diff --git a/pack/init.lua b/pack/init.lua
--- a/pack/init.lua
+++ b/pack/init.lua
@@ -1,2 +1 @@
--- a comment
 return 1
]]
local spec = { allowed_patch_paths = { "pack/*" }, max_patch_bytes = 262144 }
for _, finding in ipairs(preflight.check(patch, spec)) do
  print(finding.stop and "STOP" or "note", finding.id, finding.message)
end

-- Facts of a page, each with its line.
local page = "# Task\n\n- Metric: `heldout_ppl` (minimize)\n- Max patch size: 256 KiB\n"
for _, fact in ipairs(onboard.parse(page).facts) do
  print(("line %d: %s = %s"):format(fact.line, fact.field, fact.value))
end
