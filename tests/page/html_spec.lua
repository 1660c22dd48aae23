local h = require "bittern.page.html"
local overview = require "bittern.page.overview"
local parts = require "bittern.page.parts"

local HOSTILE <const> = [["><script>alert('1')</script>&]] .. "\0\27"

describe("a page's markup", function()
  it("takes every string as text", function()
    assert.equal('<p class="&quot;&gt;&lt;script&gt;">&lt;b&gt; &amp; 5<b>x</b></p>',
      tostring(h.p { class = '"><script>', "<b> & ", 5, false, nil, { h.b { "x" } } }))
    local text = tostring(h.div { title = HOSTILE, HOSTILE, h.pre { HOSTILE } })
    assert.is_nil(text:find("<script", 1, true))
    assert.is_nil(text:find "[%z\27]")
    assert.equal(3, select(2, text:gsub("&#39;1&#39;", "")))
  end)

  it("has attributes without a value, and none that are not set", function()
    assert.equal("<button hidden></button>", tostring(h.button { hidden = true, disabled = false }))
    assert.equal('<meta charset="utf-8">', tostring(h.meta { charset = "utf-8" }))
  end)

  it("leads to no address but of the web, the server or the page", function()
    for _, good in ipairs { "https://example.org/a?b=1&c", "http://127.0.0.1:8/", "/dashboard",
      "#x" } do
      assert.matches("^<a href=", tostring(h.link(good, "x")))
    end
    for _, bad in ipairs { "javascript:alert(1)", "JavaScript://x\n", "data:text/html,x", "//host",
      "/\\host", " https://x", "https://x y", "vbscript:x" } do
      assert.equal("x", tostring(h.link(bad, "x")), bad)
    end
  end)
end)

describe("a coordinator at a glance", function()
  it("counts whatever a coordinator counts, the way of a submission first", function()
    local list = overview.pipeline { generated_at = "x", tasks = {}, task_counts = { live = 2 },
      zebras = { striped = 3 }, submissions = { accepted = 2, rejected = 1 }, odd = { "a" },
      claims = {} }
    assert.same({ "submissions", 3, "zebras", 3 },
      { list[1].name, list[1].total, list[2].name, list[2].total })
    assert.is_nil(list[3])
    assert.same({ state = "accepted", count = 2 }, list[1].counts[1])
  end)

  it("withstands records of any shape", function()
    local text = tostring(overview.leaderboards { { slug = HOSTILE, miners = { {},
      { hotkey = HOSTILE, score = "x" }, { hotkey = 5, score = -1 } } }, { miners = "none" } })
    assert.is_nil(text:find("<script", 1, true))
    local view = { tasks = { { id = "a", slug = HOSTILE } }, best = { a = { metric_value = "x" } },
      task = tostring, onboard = function() return "javascript:x" end }
    assert.is_nil(tostring(overview.tasks(view)):find("javascript:x\"", 1, true))
    assert.equal("wait", parts.tone "never heard of")
    assert.equal("soon", tostring(parts.time "soon"))
  end)
end)
