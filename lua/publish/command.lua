-- Publisher `command`: a program of yours takes the file and prints its URL.
local process = require "core.process"

return {
  api = 1,
  about = "your own program, which prints the URL",
  args = {
    run = { "", "program to run; it finds the file in $BITTERN_ARTIFACT_PATH" },
    timeout = { 3600, "seconds until it is ended" },
  },
  publish = function(ctx, artifact)
    local args = ctx.args
    if args.run == "" then return nil, "give --set run=PROGRAM", "usage" end
    local result, message, code = process.run {
      argv = { args.run, artifact.path }, timeout = args.timeout,
      env = {
        HOME = ctx.env("HOME"), PATH = ctx.env("PATH"), LANG = ctx.env("LANG"),
        BITTERN_ARTIFACT_PATH = artifact.path, BITTERN_ARTIFACT_SHA256 = artifact.sha256,
        BITTERN_ARTIFACT_BYTES = ("%d"):format(artifact.size),
      },
    }
    if not result then return nil, message, code end
    if result.timed_out then return nil, args.run .. ": took too long", "timeout" end
    if result.status ~= 0 then
      local last = result.stderr:match("([^\n]*)\n?$")
      return nil, ("%s: exit %s: %s"):format(args.run, tostring(result.status or "by a signal"),
        ctx.report.clean(last)), "script"
    end
    local url = result.stdout:match("^%s*(https?://%S+)%s*$")
    if url then return url end
    return nil, ("%s: printed '%s', not one URL"):format(args.run,
      ctx.report.clean(result.stdout:sub(1, 80))), "script"
  end,
}
