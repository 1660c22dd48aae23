-- The colours of charts, light and dark, as the style sheet that goes into a drawing or a page.
local M = {}

-- How many series have a colour of their own; further ones begin again.
M.SERIES = 7

-- Each is {light, dark}; every colour of a mark stands out 3:1 from its ground, of a text 4.5:1.
local colors <const> = {
  ground = { "#ffffff", "#1b2021" }, ink = { "#1c2421", "#e7eae6" },
  muted = { "#5a645f", "#a4aea9" }, grid = { "#e4e3dc", "#30383a" },
  good = { "#24703f", "#7fd19a" }, bad = { "#ab2f2a", "#f4978e" }, wait = { "#8a5a00", "#e5bd62" },
  idle = { "#5a645f", "#a4aea9" },
  series = {
    { "#2b62b8", "#7fabf2" }, { "#bf5514", "#f2a56e" }, { "#1f7a61", "#69c9a6" },
    { "#85469a", "#cd9bdb" }, { "#836a00", "#d8c052" }, { "#b03052", "#f28fa6" },
    { "#4d5b67", "#aab7c2" },
  },
}

local function rules(which, prefix)
  local out = {}
  local function rule(selector, text) out[#out + 1] = prefix .. selector .. "{" .. text .. "}" end
  local function color(name) return colors[name][which] end
  rule(".ground", "fill:" .. color "ground")
  rule(" text", "fill:" .. color "ink")
  rule(" text.muted", "fill:" .. color "muted")
  -- Words stay readable where lines run below them.
  rule(" text.small", "stroke:" .. color "ground")
  rule(".grid", "stroke:" .. color "grid")
  rule(".rest", "fill:" .. color "grid")
  rule(".axis", "stroke:" .. color "muted")
  rule(".beaten", "fill:none;stroke:" .. color "muted")
  for _, name in ipairs { "good", "bad", "wait", "idle" } do
    rule("." .. name, "fill:" .. color(name))
    rule(".limit." .. name, "fill:none;stroke:" .. color(name))
  end
  for i, pair in ipairs(colors.series) do
    rule(".s" .. i, "fill:" .. pair[which])
    rule(".l" .. i, "fill:none;stroke:" .. pair[which])
  end
  return table.concat(out, "\n")
end

local FIXED <const> = [[
.chart{font-family:system-ui,-apple-system,"Segoe UI",sans-serif;font-size:13px}
.chart .small{font-size:12px;paint-order:stroke;stroke-width:3px;stroke-linejoin:round}
.chart .heading{font-size:17px;font-weight:600}
.chart .limit{stroke-width:1.5;stroke-dasharray:6 4}.chart .way{stroke-width:1.8}
]]

--- The class of the n-th series: "s1" fills, "l1" draws lines.
function M.class(letter, n)
  return letter .. (n - 1) % M.SERIES + 1
end

--- The style sheet of every chart; drawings are within an element of class `chart`.
-- @return string
function M.css()
  return FIXED .. rules(1, ".chart ") .. "\n@media screen and (prefers-color-scheme:dark){\n"
    .. rules(2, ".chart ") .. "\n}\n"
end

return M
