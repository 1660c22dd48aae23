local buffer = require "core.buffer"

local allocate = require "bittern.compress.allocate"
local plan = require "bittern.compress.plan"

-- The same "random" numbers on every run.
local function generator(seed)
  return function(low, high)
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return low + seed % (high - low + 1)
  end
end

local function f32(rows, value)
  local out = buffer.new("f32", rows)
  for i = 0, rows - 1 do out:set(i, value(i)) end
  return out
end

-- A matrix as the plan sees it: its errors are given by hand, one list for each choice.
local function entry(name, rows, cols, options)
  local item = { name = name, kind = "pack", shape = { rows, cols }, rows = rows, cols = cols,
    rescued = 0, weight = options.weight or 1, choices = options.choices
      or { { codec = "b1", group = 0, bases = 1, rescue = "budget" } } }
  local stats = { errors = {}, norms = f32(rows, function() return options.norm or 100 end),
    after = f32(rows, options.after or function() return 0 end), share = 1 }
  for i in ipairs(item.choices) do stats.errors[i] = f32(rows, options.errors[i]) end
  return { item = item, stats = stats }
end

local function whole_of(entries)
  local whole = { items = {}, files = {}, recipe = { name = "x", sha256 = "y" } }
  for i, e in ipairs(entries) do whole.items[i] = e.item end
  whole.order = whole.items
  return whole
end

local function smallest(entries)
  local ok, least = allocate.run(whole_of(entries), entries, 0)
  assert.is_nil(ok)
  return least
end

local function run(entries, limit)
  local whole = whole_of(entries)
  assert(allocate.run(whole, entries, limit))
  local size = plan.archive_size(whole)
  assert.is_true(size <= limit, size .. " of " .. limit)
  return size
end

-- Weighted relative error of all entries with these choices and counts of rescued rows.
local function error_of(entries, state)
  local total = 0
  for i, e in ipairs(entries) do
    local chosen, rescued = state[i][1], state[i][2]
    local gains = {}
    for row = 0, e.item.rows - 1 do
      gains[#gains + 1] = e.stats.errors[chosen]:get(row) - e.stats.after:get(row)
    end
    table.sort(gains, function(a, b) return a > b end)
    local lost = e.stats.errors[chosen]:sum()
    for row = 1, rescued do lost = lost - gains[row] end
    total = total + lost * e.item.weight / e.stats.norms:sum()
  end
  return total
end

local function state_of(entries)
  local state = {}
  for i, e in ipairs(entries) do state[i] = { e.item.chosen, e.item.rescued } end
  return state
end

-- Every state of the entries from `at` on.
local function each_state(entries, at, state, visit)
  local e = entries[at]
  if not e then return visit(state) end
  for chosen, choice in ipairs(e.item.choices) do
    for rescued = 0, choice.rescue == "budget" and e.item.rows or 0 do
      state[at] = { chosen, rescued }
      each_state(entries, at + 1, state, visit)
    end
  end
end

-- Bytes of the archive in a state.
local function size_of(entries, state)
  for i, e in ipairs(entries) do e.item.chosen, e.item.rescued = state[i][1], state[i][2] end
  return plan.archive_size(whole_of(entries))
end

local choices = {
  { codec = "b1", group = 0, bases = 1, rescue = "budget" },
  { codec = "b1", group = 0, bases = 2, rescue = "budget" },
}

-- Three matrices of a few rows, with errors that fall by a second base.
local function random_entries(random, with_upgrades)
  local entries = {}
  for i = 1, 3 do
    local low = {}
    for row = 0, 5 do low[row] = random(1, 60) end
    entries[i] = entry("m" .. i, with_upgrades and 3 or 5, 2000 + 400 * i, {
      choices = with_upgrades and choices or nil, norm = random(60, 120),
      errors = { function(row) return low[row] end, function(row) return low[row] / 4 end },
      after = function(row) return low[row] / 20 end, weight = random(1, 3),
    })
  end
  return entries
end

describe("the allocator", function()
  for _, upgrades in ipairs { false, true } do
    local what = upgrades and "rows and upgrades" or "rows"
    it("comes as near to the best of all " .. what .. " as one row's worth", function()
      local random = generator(upgrades and 7 or 3)
      for _ = 1, 6 do
        local entries = random_entries(random, upgrades)
        local limit = smallest(entries) + random(1500, 12000)
        run(entries, limit)
        local got, best, gap = error_of(entries, state_of(entries)), math.huge, 0
        for _, e in ipairs(entries) do
          gap = math.max(gap, 60 * e.item.weight / e.stats.norms:sum() * (upgrades and 3 or 1))
        end
        each_state(entries, 1, {}, function(state)
          local lost = error_of(entries, state)
          if lost < best and size_of(entries, state) <= limit then best = lost end
        end)
        assert.is_true(got <= best + gap, got .. " beside " .. best .. " and " .. gap)
      end
    end)
  end

  it("loses no more than the same number of rows chosen in each matrix alone", function()
    local random = generator(11)
    for _ = 1, 20 do
      local entries = {}
      for i = 1, 4 do
        local low = {}
        for row = 0, 39 do low[row] = random(1, 1000) end
        entries[i] = entry("m" .. i, 40, 256, { norm = 1000,
          errors = { function(row) return low[row] end } })
      end
      run(entries, smallest(entries) + random(2000, 14000))
      local state, count = state_of(entries), 0
      for _, one in ipairs(state) do count = count + one[2] end
      local spread = {}
      for i = 1, 4 do spread[i] = { 1, count // 4 + (i <= count % 4 and 1 or 0) } end
      assert.is_true(count > 0)
      assert.is_true(error_of(entries, state) <= error_of(entries, spread) + 1e-9)
    end
  end)

  it("takes an upgrade where it gains more for a byte than rows do, and only then", function()
    local function both(second)
      local entries = { entry("m", 64, 1024, { choices = choices,
        errors = { function() return 40 end, function() return second end },
        after = function() return 1 end }) }
      -- A second base costs 64 x 130 bytes, a rescued row some 400.
      run(entries, smallest(entries) + 64 * 130 + 400)
      return entries[1].item
    end
    assert.same({ 2, 0 }, { both(8).chosen, both(8).rescued })
    local kept = both(36)
    assert.equal(1, kept.chosen)
    assert.is_true(kept.rescued > 15)
  end)

  it("takes the smallest choice, whichever it is, when the budget asks for it", function()
    local turned = { choices[2], choices[1] }
    local entries = { entry("m", 64, 1024, { choices = turned,
      errors = { function() return 8 end, function() return 40 end } }) }
    run(entries, smallest(entries))
    assert.same({ 2, 0 }, { entries[1].item.chosen, entries[1].item.rescued })
  end)

  it("spends at least 99.9 % on a model of 160 M parameters, in seconds", function()
    local random, entries = generator(5), {}
    for i = 1, 60 do
      local spread = random(1, 50)
      entries[i] = entry(("model.layers.%d.mlp.weight"):format(i), 1000 + 10 * i, 2048, {
        choices = choices, weight = random(1, 4),
        errors = { function(row) return 36 + row * 7919 % spread end,
          function(row) return 12 + row * 7919 % spread / 2 end },
        after = function() return 0.7 end })
    end
    local least = smallest(entries)
    for _, share in ipairs { 1.05, 1.31, 1.9 } do
      local limit = math.floor(least * share)
      local size = run(entries, limit)
      assert.is_true(size >= 0.999 * limit, size .. " of " .. limit)
    end
  end)

  it("leaves matrices of zeros alone", function()
    local zero = function() return 0 end
    local entries = { entry("z", 8, 64, { errors = { zero }, norm = 0 }),
      entry("a", 8, 64, { errors = { function() return 5 end } }) }
    run(entries, smallest(entries) + 1 << 20)
    assert.equal(0, entries[1].item.rescued)
    assert.equal(8, entries[2].item.rescued)
    assert.equal(0, entries[1].item.error_after)
  end)
end)
