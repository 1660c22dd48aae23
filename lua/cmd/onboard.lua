-- bittern onboard SLUG: the task's onboarding text, and what is read from it.
local sys = require "core.sys"

local json = require "bittern.json"
local onboard = require "bittern.onboard"
local session = require "bittern.session"
local wrap = require "bittern.report.wrap"

local WIDTH <const> = 80

-- What a line of markdown begins: nothing that flows, or prose with this indent and mark.
local function begins(raw)
  if not raw:find("%S") or raw:find("^%s*[|#]") then return nil end
  local indent, mark = raw:match("^(%s*)([-*+]%s+)")
  if not mark then indent, mark = raw:match("^(%s*)(%d+[.)]%s+)") end
  return indent or raw:match("^%s*"), mark or ""
end

-- Prose flows in lines that fit; code, tables and headings stay as they are.
local function rendered(text, clean)
  local lines, open, fenced = {}, nil, false
  local function close()
    if not open then return end
    local hanging = open.indent .. (" "):rep(#open.mark)
    local body = wrap(open.text, WIDTH, hanging)
    body[1] = open.indent .. open.mark .. body[1]:sub(#hanging + 1)
    table.move(body, 1, #body, #lines + 1, lines)
    open = nil
  end
  for raw in (clean(text, true):gsub("\r", "") .. "\n"):gmatch("(.-)\n") do
    local fence = raw:find("^%s*```") ~= nil
    local indent, mark = begins(raw)
    if fence or fenced or not indent then
      close()
      lines[#lines + 1] = raw
    elseif open and mark == "" then
      open.text = open.text .. " " .. raw
    else
      close()
      open = { indent = indent, mark = mark, text = raw:sub(#indent + #mark + 1) }
    end
    fenced = fenced ~= fence
  end
  close()
  return (table.concat(lines, "\n"):gsub("\n+$", ""))
end

local function as_json(task, text, parsed)
  return {
    slug = task.slug, text = text, title = parsed.title, demands = json.array(parsed.demands),
    facts = json.array(parsed.facts), limits = parsed.limits,
    artifact_first = parsed.artifact_first,
  }
end

local function show(ctx, task, text, parsed)
  -- A terminal obeys control bytes; a file may have the very bytes.
  local keep_bytes = ctx.args.raw and not sys.isatty(1)
  if keep_bytes then
    ctx.report.out((text:gsub("\n$", "")))
  elseif ctx.args.raw then
    ctx.report.out((ctx.report.clean(text, true):gsub("\n$", "")))
  else
    ctx.report.out(rendered(text, ctx.report.clean))
  end
  ctx.report.say(("%d demands were read from it: bittern rules %s"):format(#parsed.demands,
    ctx.report.clean(task.slug)))
end

return {
  api = 1,
  about = "a task's onboarding text",
  group = "discover",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    parser:flag("--raw", "the text as the coordinator sent it")
  end,
  run = function(ctx)
    local client, task, code = session.task(ctx)
    if not client then return nil, task, code end
    local text, problem, kind = client:onboard(task)
    if not text then return nil, problem, kind end
    local parsed = onboard.parse(text)
    if ctx.json then
      ctx.report.data(as_json(task, text, parsed))
    else
      show(ctx, task, text, parsed)
    end
    return true
  end,
}
