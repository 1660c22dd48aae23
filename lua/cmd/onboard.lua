-- bittern onboard SLUG: the task's onboarding text, and what is read from it.
local sys = require "core.sys"

local changes = require "bittern.onboard.changes"
local json = require "bittern.json"
local onboard = require "bittern.onboard"
local seen = require "bittern.onboard.seen"
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

local function ago(ctx, seconds)
  return ctx.report.age(math.max(0, ctx.now() - seconds))
end

-- The page, and what is kept of the time before; offline it is the page itself.
local function page_of(ctx, client, task)
  local kept = seen.read(client.base, task.slug, ctx.env)
  local text, message, code = client:onboard(task)
  if text then
    local ok, why = seen.write(client.base, task.slug, text, ctx.now(), ctx.env)
    if not ok then ctx.report.detail("the page is not kept: " .. why) end
    return text, kept
  end
  if not kept or code ~= "offline" then return nil, message, code end
  ctx.report.say(("the page as it was %s ago"):format(ago(ctx, kept.seen)))
  return kept.text
end

local function changed_since(kept, text)
  local lines = kept and changes.lines(kept.text, text) or {}
  return #lines > 0 and { since = kept.seen, lines = lines } or nil
end

local function as_json(task, text, parsed, changed)
  return {
    slug = task.slug, text = text, title = parsed.title, demands = json.array(parsed.demands),
    facts = json.array(parsed.facts), limits = parsed.limits,
    artifact_first = parsed.artifact_first, changed = changed,
  }
end

local function tell_changes(ctx, changed)
  local report = ctx.report
  report.say(("\nchanged since it was seen, %s ago:"):format(ago(ctx, changed.since)))
  for _, line in ipairs(changed.lines) do report.say("  " .. report.clean(line)) end
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
  about = "a task's onboarding text, and what changed since it was seen",
  group = "discover",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    parser:flag("--raw", "the text as the coordinator sent it")
  end,
  run = function(ctx)
    local client, task, code = session.task(ctx)
    if not client then return nil, task, code end
    local text, kept, kind = page_of(ctx, client, task)
    if not text then return nil, kept, kind end
    local parsed, changed = onboard.parse(text), changed_since(kept, text)
    if ctx.json then
      ctx.report.data(as_json(task, text, parsed, changed))
      return true
    end
    show(ctx, task, text, parsed)
    if changed then tell_changes(ctx, changed) end
    return true
  end,
}
