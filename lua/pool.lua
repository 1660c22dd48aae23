-- Work items: what the planner of a task would like to see done, and claims of them.
local canonical = require "bittern.canonical"
local claims = require "bittern.claim"
local once = require "bittern.once"

local M = {}

-- Higher priority first (none counts as 0), then the older one: as the reference prefers them.
local function before(a, b)
  local first, second = a.priority or 0, b.priority or 0
  if first ~= second then return first > second end
  first, second = a.created_at or "", b.created_at or ""
  if first ~= second then return first < second end
  return a.position < b.position
end

--- The work items of a task, the most wanted first.
-- @param client of the coordinator
-- @param status "open", "claimed", "completed", or nil for all
-- @return array of records, or nil, message, code
function M.list(client, task, status)
  local items, message, code = client:work_items { task_id = task.id, status = status }
  if not items then return nil, message, code end
  for i, item in ipairs(items) do item.position = i end
  table.sort(items, before)
  for _, item in ipairs(items) do item.position = nil end
  return items
end

-- Our active claims of the task: {id = claim}.
local function our_claims(open, task_id)
  local list, message, code = open.client:claims { task_id = task_id, status = "active" }
  if not list then return nil, "list active claims: " .. message, code end
  local ours = {}
  for _, claim in ipairs(list) do
    local is_ours = claim.miner_hotkey == open.hotkey and claim.status == "active"
    if is_ours then ours[claim.id] = claim end
  end
  return ours
end

-- Our claim of an item: the server says so in the claim, in the item, or in both.
local function claim_of(item, ours)
  if ours[item.claim_id] then return ours[item.claim_id] end
  for _, claim in pairs(ours) do
    if claim.work_item_id == item.id then return claim end
  end
  return nil
end

--- The item to work on: one that is ours already, else the most wanted open one.
-- @param open {client=, hotkey=, task=}
-- @return item; false when there is none; or nil, message, code
function M.next(open)
  local ours, message, code = our_claims(open, open.task.id)
  if not ours then return nil, message, code end
  local items
  items, message, code = M.list(open.client, open.task)
  if not items then return nil, message, code end
  local wanted
  for _, item in ipairs(items) do
    if item.status == "claimed" and claim_of(item, ours) then return item end
    if item.status == "open" then wanted = wanted or item end
  end
  return wanted or false
end

local function find(open, id)
  local items, message, code = M.list(open.client, open.task)
  if not items then return nil, message, code end
  for _, item in ipairs(items) do
    if item.id == id then return item end
  end
  return nil, ("%s has no work item '%s'"):format(open.task.slug, id), "not_found"
end

--- The item that is named, or the one to work on.
-- @param open {client=, hotkey=, task=}
-- @param id of an item, or nil for M.next
-- @return item, or nil, message, code
function M.choose(open, id)
  if id then return find(open, id) end
  local item, message, code = M.next(open)
  if item == nil then return nil, message, code end
  if item then return item end
  return nil, ("%s has no open work item; `bittern claim %s` claims the task itself"):format(
    open.task.slug, open.task.slug), "not_found"
end

-- What a claim whose answer was lost left behind.
local function look(open)
  return function(row)
    local ours, message, code = our_claims(open, row.task_id)
    if not ours then return nil, message, code end
    local items
    items, message, code = open.client:work_items { task_id = row.task_id }
    if not items then return nil, "list work items: " .. message, code end
    for _, item in ipairs(items) do
      if item.id == row.subject then return claim_of(item, ours) or false end
    end
    return claim_of({ id = row.subject }, ours) or false
  end
end

--- Our claim of a work item: the active one there is, else a new one.
-- @param open as once.send, with task=
-- @param item record
-- @param description what one means to do, or nil: the item says it
-- @return claim record and "taken", "reused" or "found after ...", or nil, message, code
function M.take(open, item, description)
  local found, message, code = look(open) { subject = item.id, task_id = open.task.id }
  if found == nil then return nil, message, code end
  if found then
    local free, why, id = claims.is_free(open, found.id)
    if not free then return nil, why, id end
    return found, "reused"
  end
  if item.status ~= "open" then
    return nil, ("work item %s is %s, and not by this hotkey"):format(item.id,
      tostring(item.status)), "conflict"
  end
  local text, wrong, id = canonical.encode { claim_description = description }
  if not text then return nil, "claim: " .. wrong, id end
  local record, how, kind = once.send(open, {
    kind = "work_item", subject = item.id, task_id = open.task.id, body = text, repeats = true,
    look = look(open),
    send = function() return open.client:claim_work_item(item, description) end,
  })
  if not record then return nil, how, kind end
  return record, how == "sent" and "taken" or how
end

--- What became of a claim that was asked for; as once.settle.
function M.settle(open, row)
  return once.settle(open, row, look(open))
end

return M
