-- An object of an S3-compatible store: signed requests, and what the store answers.
local sha256 = require "core.sha256"
local sys = require "core.sys"

local http = require "bittern.http"
local sigv4 = require "bittern.sigv4"

local M = {}

local EMPTY <const> = sha256.hex("")

local function unescape(text)
  local named = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'" }
  return (text:gsub("&(%w+);", named))
end

--- The text of the first element of that name, or nil.
function M.element(xml, name)
  local text = xml:match("<" .. name .. ">([^<]*)</" .. name .. ">")
  return text and unescape(text)
end

--- URL of a request.
-- @param object {origin, host, path = escaped, keys = of bittern.sigv4, region}
-- @param request {query}
function M.url(object, request)
  local query = sigv4.query(request.query or {})
  return object.origin .. object.path .. (query ~= "" and "?" .. query or "")
end

--- Header lines that sign a request now.
-- @param request {method, query, headers, sha256 = of its body, nil for none}
function M.headers(object, request)
  return sigv4.sign({ method = request.method, host = object.host, path = object.path,
    query = request.query, headers = request.headers,
    payload_sha256 = request.sha256 or EMPTY }, object.keys,
    { region = object.region, now = sys.time() // 1 })
end

--- What a refusal says.
-- @param status
-- @param xml its body
-- @return nil, message, code; "not_found" where an upload is gone
function M.refusal(object, method, status, xml)
  local why = M.element(xml, "Code") or ("status " .. status)
  local detail = M.element(xml, "Message")
  local code = why == "NoSuchUpload" and "not_found"
    or (status == 403 or status == 401) and "access" or "http_status"
  return nil, ("%s %s%s: %s%s"):format(method, object.origin, object.path, why,
    detail and " (" .. detail .. ")" or ""), code
end

--- Sends a request; all that are sent here may be sent again: the store says so.
-- @param request {method, query, headers, body, sha256 = of the body, told = function(done, total)}
-- @return response, or nil, message, code
function M.send(object, request)
  local response, message, code = http.request {
    method = request.method, url = M.url(object, request), body = request.body, timeout = 0,
    on_progress = request.told, retry = { idempotent = true },
    headers = function() return M.headers(object, request) end,
  }
  if not response then return nil, message, code end
  if response.status < 300 then return response end
  return M.refusal(object, request.method, response.status, response.body or "")
end

return M
