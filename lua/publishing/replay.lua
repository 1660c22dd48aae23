-- What the public replay engine says of an artifact's URL, in its own words (contract 4.4).
local M = {}

local redirecting <const> = { [301] = true, [302] = true, [303] = true, [307] = true,
  [308] = true }

local function mismatch(what, expected, got)
  return ("%s mismatch: expected %s, got %s"):format(what, expected, got)
end

-- Of its address and the head of the answer.
local function of_head(url, artifact, seen)
  local scheme = url:match("^(%a[%w+.-]*):") or "file"
  if scheme:lower() == "http" then return "required artifacts must use https" end
  if scheme:lower() ~= "https" then return "unsupported artifact_uri scheme: " .. scheme end
  if redirecting[seen.status] then return "submission artifact redirects are not allowed" end
  if seen.status >= 400 then
    return "submission artifact download failed: HTTP " .. seen.status
  end
  local length = not seen.encoding and math.tointeger(tonumber(seen.length))
  if length and length ~= artifact.size then
    return mismatch("artifact_size_bytes", artifact.size, length)
  end
  return nil
end

--- What it would say.
-- @param url that a submission names
-- @param artifact {size, sha256}
-- @param seen {status, length = Content-Length or nil, encoding = Content-Encoding or nil, size,
--   sha256}, of a GET that followed no redirect
-- @return its words; nil where it would take the bytes
function M.says(url, artifact, seen)
  local words = of_head(url, artifact, seen)
  if words then return words end
  if seen.size ~= artifact.size then
    return mismatch("artifact_size_bytes", artifact.size, seen.size)
  end
  if seen.sha256 ~= artifact.sha256 then
    return mismatch("artifact_sha256", artifact.sha256, seen.sha256)
  end
  return nil
end

return M
