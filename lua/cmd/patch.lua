-- bittern patch SLUG: the patch as it would be sent, read as validators will; nothing is sent.
local fs = require "core.fs"
local sys = require "core.sys"

local errors = require "bittern.errors"
local json = require "bittern.json"
local patch = require "bittern.patch"
local preflight = require "bittern.patch.preflight"
local session = require "bittern.session"
local source = require "bittern.patch.source"
local surface = require "bittern.patch.surface"

local function verdict_of(findings)
  for _, finding in ipairs(findings) do
    if finding.stop then return "STOP" end
  end
  return "PASS"
end

-- What the pre-flight finds; what git finds when that finds nothing.
local function findings_of(built, task)
  local findings = preflight.check(built.text, patch.spec(task))
  if built.objection and verdict_of(findings) == "PASS" then
    findings[#findings + 1] = { id = "applies", stop = true, message = built.objection }
  end
  return findings
end

-- A terminal obeys control bytes; a file may have the very bytes.
local function print_patch(ctx, text)
  if sys.isatty(1) then text = ctx.report.clean(text, true) end
  if text ~= "" then ctx.report.out((text:gsub("\n$", ""))) end
end

local function show(ctx, task, built, findings)
  local paths, verdict = surface.paths(built.text), verdict_of(findings)
  for _, finding in ipairs(findings) do
    local word = finding.stop and "STOP" or "note"
    ctx.report.say(("%s  %s  %s"):format(word, finding.id, ctx.report.clean(finding.message)))
  end
  ctx.report.say(("%s: %d bytes of at most %d, %d paths%s"):format(verdict, #built.text,
    task.max_patch_bytes, #paths, built.commit and ", against " .. built.commit or ""))
  if ctx.json then
    ctx.report.data {
      slug = task.slug, verdict = verdict, bytes = #built.text, commit = built.commit,
      paths = json.array(paths), findings = json.array(findings), patch = built.text,
      left_out = json.array(built.left_out), hidden = json.array(built.hidden),
    }
  elseif not ctx.args.out then
    print_patch(ctx, built.text)
  end
  if verdict == "PASS" then return true end
  return errors.exit("patch")
end

return {
  api = 1,
  about = "build or check a patch as validators read it; nothing is sent",
  group = "compete",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    source.arguments(parser)
    parser:option("--out", "write the patch to a file instead"):argname "FILE"
  end,
  run = function(ctx)
    if not ctx.args.workspace and not ctx.args.patch then
      return nil, "name a checkout with --workspace, or a diff with --patch", "usage"
    end
    local client, task, code = session.task(ctx)
    if not client then return nil, task, code end
    local demands, message, id = session.demands(ctx, client, task)
    if not demands then return nil, message, id end
    local built, why, kind = source.read(ctx, task,
      { allow_empty = source.allows_empty(demands), unchecked = true, client = client })
    if not built then return nil, why, kind end
    if ctx.args.out then
      local ok, trouble, name = fs.write(ctx.args.out, built.text)
      if not ok then return nil, trouble, name end
    end
    return show(ctx, task, built, findings_of(built, task))
  end,
}
