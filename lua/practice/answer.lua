-- What the practice coordinator answers: responses in the shapes that production has.
local json = require "bittern.json"

local M = {}

--- A JSON answer.
function M.json(status, value)
  return {
    status = status, headers = { ["Content-Type"] = "application/json" },
    body = assert(json.encode(value)),
  }
end

--- A text answer.
-- @param kind content type, "text/plain; charset=utf-8" unless given
function M.text(status, text, kind)
  return {
    status = status, body = text,
    headers = { ["Content-Type"] = kind or "text/plain; charset=utf-8" },
  }
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

return M
