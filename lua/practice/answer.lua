-- What the practice coordinator answers: responses in the shapes that production has.
local json = require "bittern.json"

local M = {}

local JSON <const> = "application/json"

--- JSON that is written already.
-- @param text of the JSON
function M.raw(status, text)
  return { status = status, headers = { ["Content-Type"] = JSON }, body = text }
end

--- A JSON answer.
function M.json(status, value)
  return M.raw(status, assert(json.encode(value)))
end

--- A text answer.
-- @param kind content type, "text/plain; charset=utf-8" unless given
function M.text(status, text, kind)
  return {
    status = status, body = text,
    headers = { ["Content-Type"] = kind or "text/plain; charset=utf-8" },
  }
end

--- Sends a client elsewhere.
function M.redirect(status, url)
  return { status = status, headers = { Location = url }, body = "" }
end

--- An error: {"detail": ...}.
-- @param detail string, or an object
function M.detail(status, detail)
  return M.json(status, { detail = detail })
end

--- 422 with what is wrong with the body.
-- @param items array of {loc=, msg=, type=}
function M.invalid(items)
  return M.json(422, { detail = json.array(items) })
end

--- Whether an answer says that something was done.
function M.is_good(response)
  return response.status < 300
end

return M
