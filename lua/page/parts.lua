-- What our pages are made of: the frame, sections, tables, states, times, numbers.
local base64 = require "bittern.base64"
local fs = require "core.fs"
local sha256 = require "core.sha256"

local h = require "bittern.page.html"
local hex = require "bittern.hex"
local palette = require "bittern.chart.palette"
local paths = require "bittern.paths"

local M = {}

--- The style sheet of every page, charts included.
-- @return string
function M.style()
  return assert(fs.read(paths.root() .. "/lua/page/style.css")) .. palette.css()
end

--- The script that keeps a page up to date.
function M.script()
  return assert(fs.read(paths.root() .. "/lua/page/live.js"))
end

--- What served pages may do: show themselves, and ask their own server again.
M.POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
  .. "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

-- A bittern's eye in the reeds, as small as an icon has to be.
local ICON <const> = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' "
  .. "viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%23836a00'/%3E"
  .. "%3Ccircle cx='8' cy='8' r='4.5' fill='%23f7e9b0'/%3E%3Ccircle cx='8' cy='8' r='2.2' "
  .. "fill='%231c2421'/%3E%3C/svg%3E"

local function head(options)
  local policy = options.style and
    ("default-src 'none'; style-src 'sha256-%s'; img-src data:"):format(
      base64.encode(hex.decode(sha256.hex(options.style))))
  return h.head {
    h.meta { charset = "utf-8" },
    policy and h.meta { ["http-equiv"] = "Content-Security-Policy", content = policy },
    h.meta { name = "viewport", content = "width=device-width, initial-scale=1" },
    h.meta { name = "color-scheme", content = "light dark" },
    h.title { options.title }, h.link_icon,
    options.style and h.style { h.raw(options.style) },
    not options.style and h.raw '<link rel="stylesheet" href="/dashboard/static/style.css">',
    options.every and h.raw '<script src="/dashboard/static/live.js" defer></script>',
    options.every and h.noscript { h.meta { ["http-equiv"] = "refresh", content = "15" } },
  }
end

h.link_icon = h.raw('<link rel="icon" href="' .. ICON .. '">')

-- Says whether the page is fresh, and lets people hold it.
local function live_bar()
  return h.p { class = "live", h.span { id = "live-state", role = "status", "updating by itself" },
    h.button { id = "live-pause", type = "button", ["aria-pressed"] = "false", hidden = true,
      "Pause" } }
end

--- A whole page.
-- @param options {title, crumbs = array of {address, words} above it, lead = markup below the
--   title, body = array of markup, every = seconds until it asks for itself again (a served page),
--   style = a style sheet to carry along (a file), foot = markup}
-- @return string
function M.page(options)
  local crumbs = {}
  for i, crumb in ipairs(options.crumbs or {}) do
    crumbs[i] = h.join { i > 1 and h.span { ["aria-hidden"] = "true", " / " },
      h.link(crumb[1], crumb[2]) }
  end
  return "<!DOCTYPE html>\n" .. tostring(h.html { lang = "en", head(options),
    h.body { ["data-every"] = options.every,
      h.a { class = "skip", href = "#main", "To the content" },
      h.header { #crumbs > 0 and h.nav { ["aria-label"] = "Where this is", crumbs },
        h.h1 { options.title }, options.lead or false, options.every and live_bar() },
      h.main { id = "main", tabindex = "-1", options.body },
      h.footer { options.foot or false },
    },
  }) .. "\n"
end

--- A section with a heading; it is replaced as a whole when a served page is fetched again.
-- @param id of its own on the page
function M.section(id, title, ...)
  return h.section { id = id, ["data-live"] = true, ["aria-labelledby"] = id .. "-title",
    h.h2 { id = id .. "-title", title }, ... }
end

--- A table. On a narrow screen each row becomes a card, its cells named by their columns.
-- @param columns array of {title, right = whether it holds numbers, code = monospaced}
-- @param rows array of arrays of strings or markup
-- @param caption what it holds, for people who do not see it
function M.table(columns, rows, caption)
  local titles, lines = {}, {}
  for i, column in ipairs(columns) do
    titles[i] = h.th { scope = "col", class = column.right and "number", column[1] }
  end
  for r, row in ipairs(rows) do
    local cells = {}
    for i, column in ipairs(columns) do
      local class = column.right and "number" or column.code and "code"
      cells[i] = h.td { class = class, ["data-label"] = column[1], row[i] or "" }
    end
    lines[r] = h.tr { cells }
  end
  return h.table { h.caption { caption }, h.thead { h.tr { titles } }, h.tbody { lines } }
end

--- A drawing of bittern.chart, which scrolls by itself where the screen is narrow.
function M.chart(canvas)
  return h.div { class = "drawing", role = "region", tabindex = "0",
    ["aria-label"] = canvas.title, h.raw(canvas:inline()) }
end

--- A strip of colours beside numbers that say the same.
-- @param pieces array of {share of the whole, class of bittern.chart.palette}
function M.strip(pieces)
  local out, x = {}, 0
  for _, piece in ipairs(pieces) do
    out[#out + 1] = ('<rect x="%.2f" width="%.2f" height="8" class="%s"/>'):format(x,
      100 * piece[1], piece[2])
    x = x + 100 * piece[1]
  end
  return h.raw('<svg class="bar chart" viewBox="0 0 100 8" preserveAspectRatio="none" '
    .. 'aria-hidden="true"><rect width="100" height="8" class="rest"/>' .. table.concat(out)
    .. "</svg>")
end

local tones <const> = {
  good = "accepted live done ready ok PASS completed",
  bad = "rejected error failed refused STOP unknown",
  idle = "cancelled closed abandoned not_sent optional",
}

--- good, bad, idle or wait: how a state is coloured.
function M.tone(state)
  for tone, words in pairs(tones) do
    for word in words:gmatch "%S+" do
      if word == state then return tone end
    end
  end
  return "wait"
end

--- A state in its colour; the word says it, too.
function M.state(state)
  return h.span { class = "state " .. M.tone(state), (tostring(state):gsub("_", " ")) }
end

--- A time of the coordinator ("2026-06-15T05:06:40", UTC) as people read it.
function M.time(stamp)
  local day, clock = tostring(stamp):match "^(%d+%-%d+%-%d+)T(%d+:%d+:%d+)"
  if not day then return tostring(stamp) end
  return h.time { datetime = ("%sT%sZ"):format(day, clock), day .. " " .. clock }
end

--- A hotkey or a hash, cut; the whole of it is told when it is pointed at.
function M.short(text, length)
  text = tostring(text)
  if #text <= (length or 12) + 1 then return h.code { text } end
  return h.code { title = text, text:sub(1, length or 12) .. "\u{2026}" }
end

--- A measured number: six digits that count.
function M.number(value)
  if type(value) ~= "number" then return "" end
  return math.type(value) == "integer" and ("%d"):format(value) or ("%.6g"):format(value)
end

--- Pairs of names and values.
-- @param pairs_of array of {name, string or markup}; those without a value are left out
function M.facts(pairs_of)
  local list = {}
  for _, pair in ipairs(pairs_of) do
    if pair[2] and pair[2] ~= "" then
      list[#list + 1] = h.div { h.dt { pair[1] }, h.dd { pair[2] } }
    end
  end
  return h.dl { list }
end

--- A long text that is opened on demand.
-- @param id of its own on the page
function M.folded(id, title, text)
  return h.details { id = id, h.summary { title }, h.pre { tabindex = "0", text } }
end

return M
