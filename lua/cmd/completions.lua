-- bittern completions bash|zsh|fish: the script that a shell completes bittern's words with, and
-- what that script asks for at every key.
local completion = require "bittern.completion"
local json = require "bittern.json"
local shells = require "bittern.completion.shells"

-- A coordinator's words reach a command line here: nothing that a shell would read as more than a
-- word is offered.
local function is_plain(text)
  return text:find("^[%w_.:/=@+,-]+$") ~= nil
end

local function candidates(ctx)
  local args = ctx.args
  local kind, list = completion.candidates(args.words, {
    coordinator = ctx.coordinator, env = ctx.env, splits = args.splits,
  })
  local lines, safe = { kind }, json.array {}
  for _, candidate in ipairs(list) do
    if is_plain(candidate.text) then
      local about = ctx.report.clean(candidate.about or "")
      lines[#lines + 1] = candidate.text .. "\t" .. about
      safe[#safe + 1] = { text = candidate.text, about = about }
    end
  end
  if ctx.json then ctx.report.data { complete = kind, candidates = safe }
  else ctx.report.out(table.concat(lines, "\n")) end
  return true
end

return {
  api = 1,
  about = "a script that completes bittern's words in bash, zsh or fish",
  group = "self",
  args = function(parser)
    parser:argument("shell", "bash, zsh or fish; candidates is what their scripts ask for")
      :choices { "bash", "zsh", "fish", "candidates" }
    parser:argument("words", "with candidates: the words behind bittern, behind --"):args "*"
    parser:flag("--splits", "with candidates: the shell splits words at ="):hidden(true)
  end,
  run = function(ctx)
    if ctx.args.shell == "candidates" then return candidates(ctx) end
    if #ctx.args.words > 0 then return nil, "only candidates takes words", "usage" end
    local shell = ctx.args.shell
    if ctx.json then ctx.report.data { shell = shell, script = shells[shell] }
    else ctx.report.out(shells[shell]) end
    return true
  end,
}
