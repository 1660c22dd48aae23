-- POSTs of the ledger for people: a table, or where a terminal is narrower than that, a few lines
-- for each.
local report = require "bittern.report"
local wrap = require "bittern.report.wrap"

local M = {}

local columns <const> = {
  { "POST", right = true }, { "KIND" }, { "STATE" }, { "ABOUT" }, { "MADE" },
  { "TRIES", right = true }, { "AGE", right = true }, { "SAID" },
}

local function cells(row, now)
  return {
    ("%d"):format(row.id), row.kind,
    row.status and ("%s (%s)"):format(row.state, row.status) or row.state, row.subject,
    row.record_id or "", ("%d"):format(row.attempts), report.age(math.max(0, now - row.started)),
    row.message or "",
  }
end

-- "12  submission  done (accepted), 2 h ago", then what it was about and made, then what was said.
local function narrow(row, width)
  local post, kind, state, about, made, tries, age, said = table.unpack(row)
  local head = ("%s  %s  %s, %s ago"):format(post, kind, state, age)
  local list = { tries == "1" and head or ("%s, %s tries"):format(head, tries) }
  local ids = made ~= "" and made ~= about and ("%s -> %s"):format(about, made) or about
  for _, text in ipairs { ids, said } do
    local more = text ~= "" and wrap(text, width, "  ") or {}
    table.move(more, 1, #more, #list + 1, list)
  end
  return list
end

--- Lines of a list of POSTs.
-- @param list of Ledger:posts
-- @param now seconds since 1970
-- @param width of the terminal, or false where there is none: a table of any width then
-- @return array of strings
function M.of(list, now, width)
  local rows, lines = {}, {}
  for i, row in ipairs(list) do
    rows[i] = cells(row, now)
    for j, text in ipairs(rows[i]) do rows[i][j] = report.clean(text) end
  end
  if #rows == 0 then return lines end
  lines = report.table(columns, rows)
  local widest = 0
  for _, line in ipairs(lines) do widest = math.max(widest, utf8.len(line) or #line) end
  if not width or widest <= width then return lines end
  lines = {}
  for _, row in ipairs(rows) do
    local more = narrow(row, width)
    table.move(more, 1, #more, #lines + 1, lines)
  end
  return lines
end

return M
