-- Pages for people with a browser: tasks, and what was submitted to them.
local canonical = require "bittern.canonical"
local check = require "bittern.check"

local answer = require "bittern.practice.answer"
local database = require "bittern.practice.database"
local records = require "bittern.practice.records"
local task_store = require "bittern.practice.task_store"

local HTML <const> = "text/html; charset=utf-8"

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escape(value)
  return (tostring(value):gsub('[&<>"]', entities))
end

local function page(title, parts)
  local text = ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>%s</title>'
    .. '</head>\n<body><h1>%s</h1>\n%s\n</body></html>\n'):format(escape(title), escape(title),
    table.concat(parts, "\n"))
  return answer.text(200, text, HTML)
end

local function link(path, text)
  return ('<a href="%s">%s</a>'):format(escape(path), escape(text))
end

-- A record as a table of two columns.
local function sheet(record)
  local lines = { "<table>" }
  for _, name in ipairs(check.sorted_keys(record)) do
    local value = record[name]
    if type(value) == "table" then value = canonical.encode(value) end
    if value == canonical.null then value = "" end
    lines[#lines + 1] = ("<tr><th>%s</th><td>%s</td></tr>"):format(escape(name), escape(value))
  end
  lines[#lines + 1] = "</table>"
  return table.concat(lines, "\n")
end

local function submission_line(row)
  return ("<li>%s %s by %s</li>"):format(link("/dashboard/submissions/" .. row.id, row.id),
    escape(row.status), escape(row.miner_hotkey))
end

local function dashboard(context)
  local parts = { "<ul>" }
  for _, row in ipairs(database.rows(context.db, "SELECT * FROM task ORDER BY position")) do
    parts[#parts + 1] = ("<li>%s %s, %s</li>"):format(link("/dashboard/tasks/" .. row.id, row.slug),
      escape(row.task_state), link("/api/v1/tasks/" .. row.id .. "/onboard.md", "onboarding"))
  end
  parts[#parts + 1] = "</ul>"
  return page("Practice coordinator", parts)
end

local function task(context, call)
  local row = task_store.row(context.db, call.id)
  if not row then return answer.detail(404, "Task not found") end
  local parts = { sheet(records.task(row)), "<ul>" }
  for _, submission in ipairs(database.rows(context.db, [[SELECT id, status, miner_hotkey
    FROM submission WHERE task_id = ? ORDER BY position DESC LIMIT 100]], row.id)) do
    parts[#parts + 1] = submission_line(submission)
  end
  parts[#parts + 1] = "</ul>"
  return page(row.slug, parts)
end

local function submission(context, call)
  local row = database.row(context.db, "SELECT * FROM submission WHERE id = ?", call.id)
  if not row then return answer.detail(404, "Submission not found") end
  local parts = { sheet(records.submission(row)) }
  for _, job in ipairs(database.rows(context.db,
    "SELECT * FROM job WHERE submission_id = ? ORDER BY position", row.id)) do
    parts[#parts + 1] = sheet(records.job(job))
  end
  return page("Submission " .. row.id, parts)
end

return {
  { "GET", "/", function() return answer.redirect(307, "/dashboard") end,
    about = "to the dashboard", answer = "redirect", status = 307 },
  { "GET", "/dashboard", dashboard, about = "the dashboard", answer = "html" },
  { "GET", "/dashboard/tasks/{task_id}", task, about = "a task and its last hundred submissions",
    answer = "html" },
  { "GET", "/dashboard/submissions/{submission_id}", submission, about = "a submission",
    answer = "html" },
}
