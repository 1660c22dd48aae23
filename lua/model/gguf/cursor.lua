-- A cursor over a GGUF file: every read is checked against the bytes that are left before anything
-- is made. Bytes come through a window, so that small reads cost no system call and no long string.
local M = {}

local WINDOW <const> = 64 << 10

local Cursor = {}
Cursor.__index = Cursor
Cursor.__name = "gguf cursor"

--- A complaint, caught by gguf.open.
-- @param code id of an error
function M.fail(code, format, ...)
  error({ message = format:format(...), code = code }, 0)
end

--- Whether a name of a file may stand in a message: UTF-8 without control characters.
function M.is_plain(text)
  return utf8.len(text) ~= nil and not text:find("%c") and not text:find("\xC2[\x80-\x9F]")
end

--- A cursor at the beginning of a source of bytes.
function M.new(source)
  return setmetatable({ source = source, size = source:size(), at = 0, window = "", from = 0 },
    Cursor)
end

--- Bytes behind the cursor.
function Cursor:left()
  return self.size - self.at
end

--- Complains unless so many bytes are left.
-- @param what is being read, for the message
function Cursor:need(count, what)
  if count < 0 or count > self.size - self.at then
    M.fail("model_truncated", "truncated at byte %d: %s of %s bytes, %d are left", self.at, what,
      count < 0 and "2^63 or more" or ("%d"):format(count), self:left())
  end
end

-- Makes the window hold the next `count` bytes, which are there.
local function fill(self, count)
  local last = self.from + #self.window
  if self.at >= self.from and self.at + count <= last then return end
  self.window = self.source:read(self.at, math.min(math.max(count, WINDOW), self:left()))
  self.from = self.at
end

--- One value of a fixed size.
-- @param format of string.unpack
-- @param size of it in bytes
function Cursor:unpack(format, size, what)
  if size > self.size - self.at then self:need(size, what) end
  fill(self, size)
  local value = string.unpack(format, self.window, self.at - self.from + 1)
  self.at = self.at + size
  return value
end

--- A string with its length before it.
-- @param most bytes it may have
function Cursor:text(most, what)
  local length = self:unpack("<i8", 8, what)
  self:need(length, what)
  if length > most then
    M.fail("model_limit", "%s of %d bytes, more than %d", what, length, most)
  end
  local text = self.source:read(self.at, length)
  self.at = self.at + length
  return text
end

--- Passes over strings; there may be a great many of them.
-- @param count of strings
function Cursor:skip_texts(count, what)
  local unpack, size, at, last = string.unpack, self.size, self.at, self.from + #self.window
  for _ = 1, count do
    if at + 8 > last or at < self.from then
      self.at = at
      self:need(8, what)
      fill(self, 8)
      last = self.from + #self.window
    end
    local length = unpack("<i8", self.window, at - self.from + 1)
    at = at + 8
    if length < 0 or length > size - at then
      self.at = at
      self:need(length, what)
    end
    at = at + length
  end
  self.at = at
end

--- Passes over bytes.
function Cursor:skip(count, what)
  self:need(count, what)
  self.at = self.at + count
end

return M
