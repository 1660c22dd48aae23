-- bittern workspace SLUG DIR: a checkout of the task's repository, with its onboarding beside it.
local fs = require "core.fs"

local common = require "bittern.rules.common"
local session = require "bittern.session"
local workspace = require "bittern.workspace"

local function absolute(folder)
  local made, message, code = fs.mkdir(folder)
  if not made then return nil, message, code end
  return fs.realpath(folder)
end

-- What is there already, left as it is, or a fresh clone.
local function checkout(ctx, client, task, folder)
  if fs.stat(folder .. "/repo") then
    local found, message, code = workspace.inspect(folder, task)
    if not found then return nil, message, code end
    return found, "was there before"
  end
  ctx.report.say(ctx.report.clean(("cloning %s"):format(tostring(task.repository))))
  local made, message, code = workspace.clone {
    repository = task.repository, ref = ctx.args.ref or task.base_ref, folder = folder .. "/repo",
    timeout = workspace.timeout(task), rehearsal = common.is_local(client.base),
  }
  if not made then return nil, message, code end
  return made, "cloned"
end

local function keep_onboarding(client, task, folder)
  local text, message, code = client:onboard(task)
  if not text and code == "not_found" then return true end
  if not text then return nil, message, code end
  return fs.write(folder .. "/onboard.md", text)
end

return {
  api = 1,
  about = "check out a task's repository to work in",
  group = "compete",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    parser:argument("dir", "folder that gets repo/ and onboard.md")
    parser:option("--ref", "branch, tag or commit (default: the task's base_ref)"):argname "REF"
  end,
  run = function(ctx)
    local client, task, code = session.task(ctx)
    if not client then return nil, task, code end
    local folder, message, id = absolute(ctx.args.dir)
    if not folder then return nil, message, id end
    local kept, why, kind = keep_onboarding(client, task, folder)
    if not kept then return nil, why, kind end
    local found, how, name = checkout(ctx, client, task, folder)
    if not found then return nil, how, name end
    ctx.report.say(("%s at %s, %s"):format(found.folder, found.commit, how))
    if ctx.json then
      ctx.report.data { slug = task.slug, folder = found.folder, commit = found.commit,
        ref = found.ref, how = how }
    else
      ctx.report.out(found.folder)
    end
    return true
  end,
}
