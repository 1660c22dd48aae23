-- Faults of the service itself: answers that are odd, refusals, records that are broken.
local json = require "bittern.json"

local answer = require "bittern.practice.answer"
local guard = require "bittern.practice.guard"
local gzip = require "bittern.practice.gzip"
local when = require "bittern.practice.fault_when"

local HTML <const> = "<html><head><title>Welcome</title></head><body>an error page</body></html>"
local HUGE <const> = 65 << 20 -- more than a client reads

local function fault(about, matches, act)
  return { about = about, when = matches, act = act }
end

-- The answer's body becomes another, its length as it is then.
local function changed(about, matches, change)
  return fault(about, matches, function(request, go_on)
    local response = go_on(request)
    response.body = change(response.body or "")
    return response
  end)
end

local function raw(text)
  return function() return answer.raw(200, text) end
end

local function html()
  return answer.text(200, HTML, "text/html")
end

local function broken_record(request, go_on)
  local response = go_on(request)
  local tasks = assert(json.decode(response.body))
  table.insert(tasks, 1, { id = 7, slug = json.null, task_state = json.array {}, metric_name = 3 })
  table.insert(tasks, 2, "not a record")
  return answer.json(200, tasks)
end

local function refusal(about, status, detail)
  return fault(about, when.post, function() return answer.detail(status, detail) end)
end

local function unsigned(request, go_on)
  if request.headers["x-signature"] then return go_on(request) end
  return answer.detail(401, "missing auth headers")
end

local function compressed(request, go_on)
  local response = go_on(request)
  response.body = gzip.pack(response.body or "")
  response.headers["Content-Encoding"] = "gzip"
  return response
end

return {
  ["tasks-html"] = fault("GET tasks answers an HTML page", when.task_list, html),
  ["tasks-null"] = fault("GET tasks answers null", when.task_list, raw "null"),
  ["tasks-500"] = fault("GET tasks answers 500", when.task_list, function()
    return answer.text(500, "Internal Server Error")
  end),
  ["tasks-broken-record"] = fault("GET tasks has two broken records before the good ones",
    when.task_list, broken_record),
  ["submit-500"] = fault("POST submissions answers 500 and stores nothing", when.submit,
    function() return answer.text(500, "Internal Server Error") end),
  ["unsigned-401"] = fault("every unsigned /api/ request answers 401", when.api, unsigned),
  ["stale-401"] = refusal("POSTs are refused for their timestamp", 401, "stale timestamp"),
  ["no-stake"] = fault("claims are refused for insufficient_miner_stake", when.claim,
    guard.insufficient_stake),
  ["detail-array"] = refusal("POSTs are refused with an array of what is wrong", 422,
    json.array { { loc = json.array { "body", "summary" }, msg = "Field required",
      type = "missing" } }),
  ["detail-object"] = refusal("POSTs are refused with an object nobody knows", 400,
    { code = 17, reason = "odd" }),
  ["html"] = fault("/api/ answers 200 and an HTML page, nothing is done", when.api, html),
  ["html-after-commit"] = fault("a POST is carried out, its answer an HTML page", when.post,
    function(request, go_on)
      local response = go_on(request)
      return answer.is_good(response) and html() or response
    end),
  ["empty"] = changed("answers are empty", when.api, function() return "" end),
  ["null"] = changed("answers are null", when.api, function() return "null" end),
  ["broken-json"] = changed("answers are half a JSON text", when.api, function(body)
    return body:sub(1, #body // 2)
  end),
  ["nan"] = changed("answers hold NaN, which is no JSON", when.api, function(body)
    return '{"detail":NaN,"answer":' .. body .. "}"
  end),
  ["not-utf8"] = changed("answers hold bytes that are no text", when.api, function(body)
    return '{"detail":"\255","answer":' .. body .. "}"
  end),
  ["huge"] = changed("answers are larger than any client reads", when.api, function(body)
    return body .. (" "):rep(HUGE)
  end),
  ["wrong-type"] = fault("JSON is called text/plain; nothing else is wrong", when.api,
    function(request, go_on)
      local response = go_on(request)
      response.headers["Content-Type"] = "text/plain"
      return response
    end),
  ["gzip"] = fault("answers are compressed, which nobody asked for", when.api, compressed),
}
