-- Faults of the file store: what keeps a validator from an artifact, and what breaks a download
-- that goes on where it stopped.
local fs = require "core.fs"

local answer = require "bittern.practice.answer"
local gzip = require "bittern.practice.gzip"
local when = require "bittern.practice.fault_when"

local function fault(about, act, number, default)
  return { about = about, when = when.file, act = act, number = number, default = default }
end

-- The bytes of an answer, in memory where they can be changed; nil when there are none.
local function bytes_of(response)
  if not response.file then return nil end
  local bytes = assert(fs.read(response.file)):sub((response.offset or 0) + 1)
  if response.size then bytes = bytes:sub(1, response.size) end
  response.file, response.offset, response.size = nil, nil, nil
  return bytes
end

-- A file whose bytes, or the way they are sent, are changed.
local function changed(about, change, number, default)
  return fault(about, function(request, go_on, argument)
    local response = go_on(request)
    local bytes = bytes_of(response)
    if bytes then change(response, bytes, argument) end
    return response
  end, number, default)
end

local function status(code)
  return fault(("GET /files/ answers %d"):format(code), function()
    return answer.text(code, "no file today")
  end)
end

local function without_range(request, go_on)
  request.headers.range = nil
  return go_on(request)
end

local function header(about, name, value)
  return fault(about, function(request, go_on)
    local response = go_on(request)
    if response.headers[name] then response.headers[name] = value(response.headers[name]) end
    return response
  end)
end

local answered = 0

return {
  ["file-redirect"] = fault("GET /files/NAME answers 302 to itself with ?direct=1",
    function(request, go_on)
      if request.query ~= "" then return go_on(request) end
      return answer.redirect(302, request.path .. "?direct=1")
    end),
  ["file-changed"] = changed("files are sent with their last byte changed",
    function(response, bytes)
      response.body = bytes:sub(1, -2) .. string.char(bytes:byte(-1) ~ 1)
    end),
  ["file-short"] = changed("files lack their last byte", function(response, bytes)
    response.body = bytes:sub(1, -2)
  end),
  ["file-long"] = changed("files have a byte too many", function(response, bytes)
    response.body = bytes .. "\0"
  end),
  ["file-truncate"] = changed("files break off in the middle; their length promised more",
    function(response, bytes) response.body, response.cut = bytes, #bytes // 2 end),
  ["file-cut"] = changed("files break off after so many bytes", function(response, bytes, most)
    response.body, response.cut = bytes, math.min(most // 1 | 0, #bytes)
  end, "BYTES", 0),
  ["file-chunked"] = changed("files tell no length; nothing is wrong with that",
    function(response, bytes) response.body, response.chunked = bytes, true end),
  ["file-slow"] = changed("files come a byte at a time, so many seconds each",
    function(response, bytes, seconds) response.body, response.pace = bytes, seconds end,
    "SECONDS", 0.01),
  ["file-gzip"] = changed("files are compressed, which nobody asked for",
    function(response, bytes)
      response.body = gzip.pack(bytes)
      response.headers["Content-Encoding"] = "gzip"
    end),
  ["file-encoding"] = changed("files have an encoding that nobody knows",
    function(response, bytes)
      response.body, response.headers["Content-Encoding"] = bytes, "br"
    end),
  ["file-html"] = fault("GET /files/ answers 200 and a page that asks to log in", function()
    return answer.text(200, "<html><title>Log in</title></html>", "text/html")
  end),
  ["file-reset"] = fault("GET /files/ closes the connection", function()
    return { status = 200, headers = {}, body = "", drop = true }
  end),
  ["file-401"] = status(401), ["file-403"] = status(403), ["file-404"] = status(404),
  ["file-500"] = status(500),
  ["file-whole"] = fault("a range is asked for, the whole file comes with 200", without_range),
  ["file-wrong-range"] = header("a range that is answered is not the one asked for",
    "Content-Range", function(text)
      return (text:gsub("%d+", function(first) return ("%d"):format(first + 1) end, 1))
    end),
  ["file-weak-etag"] = header("files have an ETag that promises no bytes", "ETag", function(tag)
    return "W/" .. tag
  end),
  ["file-new-etag"] = header("every answer has an ETag of its own", "ETag", function()
    answered = answered + 1
    return ('"%d"'):format(answered)
  end),
  ["file-416"] = fault("every range is out of range", function(request, go_on)
    if not request.headers.range then return go_on(request) end
    local response = answer.detail(416, "Requested Range Not Satisfiable")
    response.headers["Content-Range"] = "bytes */0"
    return response
  end),
}
