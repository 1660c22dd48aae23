-- A report on disk: one HTML file, or a folder with it and every chart as SVG and, where a
-- converter is installed, PNG.
local fs = require "core.fs"
local process = require "core.process"

local charts = require "bittern.pictures.charts"

local M = {}

-- The packaged converter; twice the size, for screens of today.
local CONVERTER <const> = "rsvg-convert"
local ZOOM <const> = "2"

-- Whether a path means a folder: one that is there, or one that ends with a slash.
local function is_folder(path)
  local info = fs.stat(path)
  return path:sub(-1) == "/" or info ~= nil and info.type == "directory"
end

local function convert(svg, png)
  local argv = { CONVERTER, "--zoom", ZOOM, "--output", png, svg }
  local done, message, code = process.run { argv = argv, timeout = 60 }
  if not done then return nil, message, code end
  if done.status ~= 0 then return nil, CONVERTER .. ": " .. done.stderr, "io" end
  return true
end

-- One chart; whether PNGs can be made is found out with the first.
local function write_chart(folder, name, canvas, made)
  local svg = ("%s/%s.svg"):format(folder, name)
  local ok, message, code = fs.write(svg, canvas:document())
  if not ok then return nil, message, code end
  made.files[#made.files + 1] = svg
  if made.without_png then return true end
  local png = ("%s/%s.png"):format(folder, name)
  ok, message, code = convert(svg, png)
  if ok then
    made.files[#made.files + 1] = png
  elseif code == "not_found" then
    made.without_png = ("no PNG: %s is not installed (Debian: librsvg2-bin)"):format(CONVERTER)
  else
    return nil, message, code
  end
  return true
end

--- Writes a report.
-- @param path a file, or a folder: one that is there, or that ends with a slash
-- @param html the report's text
-- @param data of bittern.pictures.collect
-- @return {files = array of paths, without_png = why there are no PNGs, or nil}; or nil, message,
--   code
function M.write(path, html, data)
  local made = { files = {} }
  local folder = is_folder(path) and path:gsub("(.)/+$", "%1")
  local ok, message, code = true, nil, nil
  if folder then ok, message, code = fs.mkdir(folder) end
  if not ok then return nil, message, code end
  local file = folder and folder .. "/report.html" or path
  ok, message, code = fs.write(file, html)
  if not ok then return nil, message, code end
  made.files[1] = file
  for _, name in ipairs(folder and charts.names or {}) do
    local canvas = charts.draw(data, name, true)
    if canvas then ok, message, code = write_chart(folder, name, canvas, made) end
    if not ok then return nil, message, code end
  end
  return made
end

return M
