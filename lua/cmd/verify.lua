-- bittern verify FILE|URL: would validators take these bytes?
local check = require "bittern.check"

local function show(report, result)
  local thousands = report.thousands
  report.out("sha256      " .. result.sha256)
  report.out("size        " .. thousands(result.size) .. " bytes")
  if not result.parameters then return end
  report.out(("holds       %d files, %d packed matrices, %d plain tensors"):format(result.files,
    result.matrices, result.plain))
  report.out(("parameters  %s, %.4f bits each"):format(thousands(result.parameters),
    result.size * 8 / result.parameters))
  for _, gate in ipairs(result.gates or {}) do
    report.out(("gate        %s: at most %s bytes, %.2f %% used"):format(gate.id,
      thousands(gate.limit), 100 * result.size / gate.limit))
  end
end

return {
  api = 1,
  about = "check an artifact, on disk or at its URL, by the validators' rules",
  group = "artifact",
  args = function(parser)
    parser:argument("artifact", "archive on disk, or the URL that a submission names")
    parser:option("--sha256", "the hash it must have"):argname "H"
    parser:option("--size", "the bytes it must have"):argname "N"
      :convert(check.whole("--size", 0, 1 << 53))
    parser:option("--budget", "binary, ternary or bits a parameter"):argname "BITS"
    parser:flag("--bytes-only", "compare size and hash, do not look inside")
  end,
  run = function(ctx)
    local args, report = ctx.args, ctx.report
    if args.sha256 and not (#args.sha256 == 64 and args.sha256:find("^%x+$")) then
      return nil, "--sha256 must be 64 hexadecimal digits", "usage"
    end
    local is_url = args.artifact:find("^%a[%w+.-]*://") ~= nil
    local progress = is_url and report.progress { label = "verify", unit = "B" }
    local result, message, code = require("bittern.artifact.verify").run {
      url = is_url and args.artifact or nil, path = not is_url and args.artifact or nil,
      sha256 = args.sha256, size = args.size, budget = args.budget,
      contents = not args.bytes_only,
      on_progress = progress and function(done) progress:update(done) end or nil,
    }
    if progress then progress:finish() end
    if not result then return nil, message, code end
    if ctx.json then report.data(result) else show(report, result) end
    return true
  end,
}
