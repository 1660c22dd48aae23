-- bittern download SOURCE: files and whole repositories, in parts, resumed, accepted by hash.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local check = require "bittern.check"
local huggingface = require "bittern.huggingface"
local json = require "bittern.json"

local function last_name(url)
  local name = url:match("^[^?#]*"):match("/([^/]+)/*$") or ""
  name = name:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  local bad = name == "" or name == "." or name == ".." or name:find("[/\\%c]")
  return bad and "download" or name
end

-- Where a file of that name goes: into a folder, or to the very name that --to gives.
local function place(to, name)
  if not to then return name end
  local info = fs.stat(to)
  local is_folder = to:sub(-1) == "/" or info and info.type == "directory"
  return is_folder and to:gsub("/+$", "") .. "/" .. name or to
end

local function of_url(ctx)
  local args = ctx.args
  if not args.source:find("://", 1, true) then
    return nil, args.source .. ": is no URL, and no hf:owner/repo", "usage"
  end
  return { { url = args.source, path = place(args.to, last_name(args.source)),
    sha256 = args.sha256 } }
end

local function of_hub(ctx, text)
  local args = ctx.args
  if huggingface.is_offline(ctx.env) then
    return nil, "nothing is downloaded, because of HF_HUB_OFFLINE", "offline"
  end
  local wanted, message, code = huggingface.parse(text)
  if not wanted then return nil, message, code end
  -- All files of one commit, whatever is pushed in the meantime.
  local commit, list
  commit, message, code = huggingface.commit(ctx.env, wanted)
  if not commit then return nil, message, code end
  if commit ~= wanted.revision then
    ctx.report.say(("hf:%s@%s is commit %s"):format(wanted.repo, wanted.revision, commit))
  end
  wanted.revision = commit
  list, message, code = huggingface.list(ctx.env, wanted)
  if not list then return nil, message, code end
  if #list > 1 and args.sha256 then
    return nil, "--sha256 is for one file; " .. #list .. " are asked for", "usage"
  end
  local folder = args.to or wanted.repo:match("[^/]+$")
  for _, file in ipairs(list) do
    file.name = file.path
    file.path = folder:gsub("/+$", "") .. "/" .. file.path
    file.sha256 = args.sha256 or file.sha256
  end
  return list
end

-- Why a file that lies there already is enough, as far as anybody says what it must be; false
-- where it is not. A finished file is whole: only downloads that ended get their final name.
local function is_enough(file, info)
  if file.size and info.size ~= file.size then return false end
  if not file.sha256 then return file.size and "a file of that size is there already" end
  return sha256.file(file.path) == file.sha256:lower() and "is there already"
end

-- Splits off what is there; what would be replaced by other bytes is the user's to remove.
local function needed(ctx, files)
  local list = {}
  for _, file in ipairs(files) do
    local info = fs.stat(file.path)
    local enough = info and is_enough(file, info)
    if info and not enough then
      return nil, file.path .. ": something is there already", "exists"
    elseif info then
      ctx.report.say(file.path .. ": " .. enough)
    else
      list[#list + 1] = file
    end
  end
  return list
end

local function make_folders(files)
  for _, file in ipairs(files) do
    local folder = file.path:match("^(.*)/")
    if folder and folder ~= "" then
      local ok, message, code = fs.mkdir(folder)
      if not ok then return nil, message, code end
    end
  end
  return true
end

-- The nearest folder on the way to a path that is there already.
local function nearest_folder(path)
  repeat
    path = path:match("^(.*)/[^/]*$") or "."
    if path == "" then path = "/" end
  until fs.stat(path)
  return path
end

-- All files together; a part has the length of its file, however much of it is there.
local function check_disk(files)
  local need = 0
  for _, file in ipairs(files) do
    if not fs.stat(file.path .. ".part") then need = need + (file.size or 0) end
  end
  local free = files[1] and fs.disk_free(nearest_folder(files[1].path))
  if not free or need <= free then return true end
  return nil, ("%d bytes are needed, %d are free"):format(need, free), "disk_full"
end

local function preview(ctx, files)
  if ctx.json then
    local list = {}
    for i, file in ipairs(files) do
      list[i] = { url = file.url, path = file.path, size = file.size, sha256 = file.sha256 }
    end
    ctx.report.data { dry_run = true, files = json.array(list) }
    return true
  end
  local rows = {}
  for i, file in ipairs(files) do
    rows[i] = { file.path, file.size and ctx.report.thousands(file.size) or "" }
  end
  for _, line in ipairs(ctx.report.table({ { "FILE" }, { "BYTES", right = true } }, rows)) do
    ctx.report.out(line)
  end
  return true
end

local function show(ctx, results)
  if ctx.json then
    ctx.report.data { files = json.array(results) }
    return
  end
  for _, file in ipairs(results) do
    ctx.report.out(file.path)
    local hash = file.verified and "as expected" or "nobody said what it must be"
    ctx.report.say(("%s bytes, sha256 %s (%s)"):format(ctx.report.thousands(file.size), file.sha256,
      hash))
  end
end

local function fetch(ctx, files)
  local shown = { label = "download", unit = "B" }
  local progress = ctx.report.progress(shown)
  local results, message, code = require("bittern.download").run(files, {
    parallel = ctx.args.parallel, speed = ctx.args.limit_rate,
    on_progress = function(done, total)
      shown.total = total -- of some files it is known when their turn comes
      progress:update(done)
    end,
  })
  progress:finish()
  return results, message, code
end

-- Fields that only this file needs are not download.run's.
local function plain(files)
  local list = {}
  for i, file in ipairs(files) do
    list[i] = { url = file.url, path = file.path, size = file.size, sha256 = file.sha256,
      headers = file.headers }
  end
  return list
end

return {
  api = 1,
  about = "download a file or a Hugging Face repository, proven by hash",
  group = "artifact",
  args = function(parser)
    parser:argument("source", "a URL, or hf:owner/repo[@revision][:path]")
    parser:option("--to", "folder, or name of the one file"):argname "PATH"
    parser:option("--sha256", "what the file's hash must be"):argname "H"
      :convert(check.sha256("--sha256"))
    parser:option("--parallel", "parts fetched at once (8)"):argname "N"
      :convert(check.whole("--parallel", 1, 64)):default("8")
    parser:option("--limit-rate", "most bytes a second, such as 500k or 20M"):argname "RATE"
      :convert(check.bytes("--limit-rate")):default("0")
    parser:flag("--dry-run", "list what would be downloaded")
  end,
  run = function(ctx)
    local hub = ctx.args.source:match("^hf:(.+)$")
    local files, message, code
    if hub then files, message, code = of_hub(ctx, hub) else files, message, code = of_url(ctx) end
    if not files then return nil, message, code end
    if ctx.args.dry_run then return preview(ctx, files) end
    files, message, code = needed(ctx, files)
    if not files then return nil, message, code end
    local ok
    ok, message, code = check_disk(files)
    if ok then ok, message, code = make_folders(files) end
    if not ok then return nil, message, code end
    local results
    results, message, code = fetch(ctx, plain(files))
    if not results then return nil, message, code end
    show(ctx, results)
    return true
  end,
}
