-- bittern report [RUN...]: what was tried and what came of it, in pictures.
local listing = require "bittern.cli.listing"

local function run_number(text)
  local id = math.tointeger(tonumber(text))
  if id and id > 0 then return id end
  return nil, ("RUN must be the number of a run, such as 3, not '%s'"):format(text)
end

-- Commands of one table print chosen fields as those of many do.
local function picked(ctx, data)
  local list, message, code = listing.pick(ctx, { data })
  if not list then return nil, message, code end
  return list[1]
end

local function gather(args)
  local ledger <close>, message, code = require("bittern.ledger").open()
  if not ledger then return nil, message, code end
  local data, why, id = require("bittern.pictures.collect").gather(ledger, args.runs)
  return data, why, id
end

local function write(ctx, data)
  local html = require("bittern.pictures.page").report(data, ctx.now())
  local made, message, code = require("bittern.pictures.files").write(ctx.args.out, html, data)
  if not made then return nil, message, code end
  data.files = made.files
  if made.without_png then ctx.report.say(made.without_png) end
  return true
end

local function show(ctx, data)
  if data.files then
    for _, path in ipairs(data.files) do ctx.report.out(path) end
    return
  end
  local lines = require("bittern.pictures.text").lines(data)
  for _, line in ipairs(lines) do ctx.report.out(line) end
  if #lines == 0 then
    ctx.report.say("the ledger holds nothing to show yet; compress, eval, sweep and mine fill it")
  end
end

return {
  api = 1,
  about = "what was tried and what came of it, in pictures: HTML, SVG, PNG",
  group = "self",
  args = function(parser)
    parser:argument("runs", "numbers of runs (default: all)"):argname "RUN":args "*"
      :convert(run_number)
    parser:option("--out", "one HTML file; or a folder (one that is there, or that ends with /) "
      .. "for it and every chart as SVG and PNG"):argname "PATH"
    parser:option("--fields", "with --json: these fields only, comma-separated"):argname "A,B"
  end,
  run = function(ctx)
    local data, message, code = gather(ctx.args)
    if not data then return nil, message, code end
    if ctx.args.out then
      local ok, why, id = write(ctx, data)
      if not ok then return nil, why, id end
    end
    local shown, wrong, kind = picked(ctx, data)
    if not shown then return nil, wrong, kind end
    if ctx.json then ctx.report.data(shown) else show(ctx, data) end
    return true
  end,
}
