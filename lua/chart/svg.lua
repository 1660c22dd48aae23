-- A drawing as SVG: shapes with classes, whose colours bittern.chart.palette gives.
local palette = require "bittern.chart.palette"

local M = {}

local Canvas = {}
Canvas.__index = Canvas

local escapes <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
  ["'"] = "&#39;" }

--- A text within markup. Control bytes, which XML cannot hold, become blanks.
function M.escape(text)
  return (tostring(text):gsub("%c", " "):gsub("[&<>\"']", escapes))
end

-- What a shape says when it is pointed at.
local function closed(name, tip)
  if not tip then return "/>" end
  return ("><title>%s</title></%s>"):format(M.escape(tip), name)
end

--- An empty drawing.
-- @param options {width, height, title = what it shows, about = a sentence or two of what is to be
--   seen, both for people who do not see it; heading = the title is drawn, too}
function M.new(options)
  return setmetatable({ width = options.width, height = options.height, title = options.title,
    about = options.about, out = {} }, Canvas)
end

function Canvas:add(format, ...)
  self.out[#self.out + 1] = format:format(...)
end

--- A text; `anchor` is start (left), middle or end.
function Canvas:text(x, y, words, class, anchor)
  self:add('<text x="%.1f" y="%.1f"%s%s>%s</text>', x, y,
    class and (' class="%s"'):format(class) or "",
    anchor and (' text-anchor="%s"'):format(anchor) or "", M.escape(words))
end

function Canvas:line(x1, y1, x2, y2, class)
  self:add('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>', x1, y1, x2, y2, class)
end

--- A circle; `tip` is told when it is pointed at.
function Canvas:circle(x, y, radius, class, tip)
  self:add('<circle cx="%.1f" cy="%.1f" r="%.1f" class="%s"%s', x, y, radius, class,
    closed("circle", tip))
end

function Canvas:diamond(x, y, radius, class, tip)
  self:add('<path d="M%.1f %.1fl%.1f %.1fl-%.1f %.1fl-%.1f -%.1fz" class="%s"%s', x, y - radius,
    radius, radius, radius, radius, radius, radius, class, closed("path", tip))
end

function Canvas:rect(x, y, width, height, class, tip)
  self:add('<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" class="%s"%s', x, y, width, height,
    class, closed("rect", tip))
end

--- A way through points, an array of {x, y}.
function Canvas:polyline(points, class)
  local way = {}
  for i, point in ipairs(points) do way[i] = ("%.1f,%.1f"):format(point[1], point[2]) end
  self:add('<polyline points="%s" class="%s"/>', table.concat(way, " "), class)
end

local function head(self, size)
  return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d"%s class="chart" role="img" '
    .. 'aria-label="%s">\n<title>%s</title>\n<desc>%s</desc>'):format(self.width, self.height, size,
    M.escape(self.title), M.escape(self.title), M.escape(self.about or ""))
end

--- The drawing as a part of a page that has palette.css().
function Canvas:inline()
  return ("%s\n%s\n</svg>"):format(head(self, ""), table.concat(self.out, "\n"))
end

--- The drawing as a file of its own.
function Canvas:document()
  local size = (' width="%d" height="%d"'):format(self.width, self.height)
  return table.concat({ head(self, size), "<style>", palette.css() .. "</style>",
    '<rect width="100%" height="100%" class="ground"/>', table.concat(self.out, "\n"), "</svg>\n" },
    "\n")
end

return M
