-- bittern doctor: what is wrong with this machine, its keys and the coordinator, and what helps.
local fs = require "core.fs"
local sys = require "core.sys"

local doctor = require "bittern.doctor"
local json = require "bittern.json"
local redact = require "bittern.redact"
local script = require "bittern.script"
local version = require "bittern.version"
local wallet = require "bittern.wallet"

local OWNER_ONLY <const> = 0x180 -- 0600

local marks <const> = { ok = "ok", warning = "warn", bad = "BAD" }

local function show(ctx, findings)
  local report = ctx.report
  for _, finding in ipairs(findings) do
    local text, fix = report.hang(1, 19, finding.text), finding.fix
    report.out(("%-4s  %-11s  %s"):format(marks[finding.state], finding.id, text))
    if fix then report.out(("%19sfix: %s"):format("", report.hang(1, 24, fix))) end
  end
end

-- Names of the variables that concern us or hold secrets; values only of the former.
local function variables(ctx)
  local list = {}
  for _, name in ipairs(sys.variables()) do
    local about_us = name:find("^BITTERN_") or name:find("^BITSOTA_") or name:find("^BT_")
      or name:find("^HF_") or name:find("^XDG_") or name:find("^LC_") or name == "LANG"
      or name:lower():find("_proxy$") or name == "TERM"
    if about_us then list[name] = redact.is_secret(name) and "[redacted]" or ctx.env(name) end
  end
  return list
end

local function own_scripts()
  local list = {}
  for _, kind in ipairs(script.kinds()) do
    for _, found in ipairs(script.list(kind)) do
      if found.from ~= "installed" then list[#list + 1] = kind .. " " .. found.name end
    end
  end
  return json.array(list)
end

-- For others to read: the findings and what they depend on, without secrets.
local function write_report(ctx, findings)
  local text = json.encode {
    bittern = version, findings = json.array(findings), variables = variables(ctx),
    scripts = own_scripts(), time = math.floor(ctx.now()),
  }
  return fs.write(ctx.args.report, redact.text(text, ctx.env) .. "\n", { mode = OWNER_ONLY })
end

local function count(findings, state)
  local n = 0
  for _, finding in ipairs(findings) do
    if finding.state == state then n = n + 1 end
  end
  return n
end

return {
  api = 1,
  about = "what is wrong with machine, keys and coordinator, and what helps",
  group = "self",
  args = function(parser)
    parser:option("--model", "look for room to compress this model, too"):argname "PATH"
    parser:option("--report", "write the findings to a file for others, without secrets")
      :argname "FILE"
    wallet.arguments(parser)
  end,
  run = function(ctx)
    local findings = doctor.examine(ctx)
    for _, finding in ipairs(findings) do
      finding.text = redact.url(ctx.report.clean(finding.text))
    end
    local bad, warnings = count(findings, "bad"), count(findings, "warning")
    if ctx.json then
      ctx.report.data { findings = json.array(findings), bad = bad, warnings = warnings }
    else
      show(ctx, findings)
    end
    ctx.report.say(("%d bad, %d warning%s"):format(bad, warnings, warnings == 1 and "" or "s"))
    if ctx.args.report then
      local ok, message, code = write_report(ctx, findings)
      if not ok then return nil, message, code end
      ctx.report.say(ctx.args.report .. ": written; look through it before you send it")
    end
    return bad == 0 or 1
  end,
}
