-- Markdown as blocks of prose with line numbers, tolerant of any text: headings, bullets, table
-- rows, paragraphs. Fenced code is an example and demands nothing, so it is left out.
local M = {}

-- No sentence for people is longer; what is cut off asks for nothing.
local LINE_MAX <const>, BLOCK_MAX <const>, CLAUSE_MAX <const> = 4096, 8192, 2000

-- Pages copied from a browser lose the marks around code, and words run together:
-- `summary` and `claimed_metrics` becomes summaryandclaimed_metrics.
local fields_of_two_words = {
  "artifact_size_bytes", "artifact_sha256", "artifact_uri", "claimed_metrics", "proposed_idea",
  "implemented_submission_id", "execution_log", "base_ref", "claim_id",
}

local function unglue(text)
  text = text:gsub("%f[%w_]summaryand", "summary and ")
  for _, name in ipairs(fields_of_two_words) do
    text = text:gsub(name .. "(%l%l)", name .. " %1")
    text = text:gsub("(%f[%a]%l+)" .. name, function(before)
      return (before == "and" or before == "or") and before .. " " .. name or nil
    end)
  end
  return text
end

local function trim(text)
  return text:match("^%s*(.*%S)") or ""
end

local function classify(line)
  local hashes, title = line:match("^%s*(#+)%s*(.*)$")
  if hashes then return "heading", title:match("^(.*[^%s#])") or "", #hashes end
  title = trim(line)
  if title:sub(-2) == "\u{b6}" then return "heading", title:sub(1, -3), 2 end
  if line:find("^%s*|") then return "row", line end
  local item = line:match("^%s*[-*+]%s+(.*)$") or line:match("^%s*%d+[.)]%s+(.*)$")
  if item then return "bullet", item end
  return "text", line
end

local function start(kind, text, number, level)
  return { kind = kind, text = text, line = number, level = level,
    starts = { { at = 1, line = number } } }
end

-- Prose goes on in the block before it, unless that is a heading or a row.
local function continue(block, text, number)
  block.starts[#block.starts + 1] = { at = #block.text + 2, line = number }
  block.text = block.text .. " " .. text
end

--- The line on which a byte of a block's text stands.
function M.line_at(block, at)
  local line = block.line
  for _, start_of in ipairs(block.starts) do
    if start_of.at <= at then line = start_of.line end
  end
  return line
end

--- Splits text into blocks.
-- @param text string
-- @return array of {kind = "heading"|"bullet"|"row"|"text", text =, line =, level = of a heading}
function M.split(text)
  local list, open, fence, number = {}, nil, nil, 0
  for raw in (text:gsub("\r\n?", "\n") .. "\n"):gmatch("(.-)\n") do
    number, raw = number + 1, raw:sub(1, LINE_MAX)
    local mark = raw:match("^%s*(```+)") or raw:match("^%s*(~~~+)")
    if mark and (not fence or fence == mark:sub(1, 3)) then
      fence, open = not fence and mark:sub(1, 3) or nil, nil
    elseif not fence and not raw:find("%S") then
      open = nil
    elseif not fence then
      local kind, body, level = classify(unglue(raw))
      body = trim(body)
      if kind == "text" and open and #open.text < BLOCK_MAX then
        continue(open, body, number)
      else
        list[#list + 1] = start(kind, body, number, level)
        open = (kind == "bullet" or kind == "text") and list[#list] or nil
      end
    end
  end
  return list
end

--- The cells of a table's row.
-- @param row text
-- @return array of texts without blanks around them
function M.cells(row)
  local cells = {}
  for cell in row:gsub("^%s*|", ""):gmatch("([^|]*)|?") do cells[#cells + 1] = trim(cell) end
  return cells
end

--- The clauses of a block: split after . ; ! ? and before a dash that was a bullet.
-- @return array of {text =, at = first byte in the block's text}
function M.clauses(block)
  local list, from = {}, 1
  local text = block.text
  local function add(to)
    to = math.min(to, from + CLAUSE_MAX)
    local blank = #text:sub(from, to):match("^[%s-]*")
    local part = text:sub(from + blank, to)
    if part:find("%S") then list[#list + 1] = { text = part, at = from + blank } end
  end
  for at in text:gmatch("()[.;!?]+%f[%s\0]") do
    add(at)
    from = at + 1
  end
  add(#text)
  return list
end

return M
