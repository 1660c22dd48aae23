-- Faults of the way between: connections that break, proxies that give up, answers that crawl.
local sys = require "core.sys"

local answer = require "bittern.practice.answer"
local when = require "bittern.practice.fault_when"

local PAGE <const> = "<html><head><title>%d %s</title></head><body>upstream request timeout</body>"
  .. "</html>"

local words = { [500] = "Internal Server Error", [502] = "Bad Gateway",
  [503] = "Service Unavailable", [504] = "Gateway Time-out" }

local function page(status)
  return answer.text(status, PAGE:format(status, words[status]), "text/html")
end

local function dropped()
  return { status = 200, headers = {}, body = "", drop = true }
end

-- Nothing is done, and a proxy's page says so.
local function instead(status)
  return { about = ("/api/ answers %d, nothing is done"):format(status), when = when.api,
    act = function() return page(status) end }
end

-- It is done, and the answer is lost.
local function after_commit(about, matches, make, once)
  return { about = about, when = matches, once = once, act = function(request, go_on)
    local response = go_on(request)
    return answer.is_good(response) and make() or response
  end }
end

local function too_many(about, retry_after, argument)
  return { about = about, when = when.api, number = argument, default = argument and 1,
    act = function(_, _, seconds)
      local response = answer.detail(429, "slow down")
      response.headers["Retry-After"] = retry_after(seconds)
      return response
    end }
end

-- The whole answer is known, and sent in another way.
local function sent(about, change, argument, default)
  return { about = about, when = when.api, number = argument, default = default,
    act = function(request, go_on, value)
      local response = go_on(request)
      change(response, value)
      return response
    end }
end

local function redirect(about, location)
  return { about = about, when = when.api, act = function(request)
    return answer.redirect(302, location(request))
  end }
end

local function date(seconds)
  return os.date("!%a, %d %b %Y %H:%M:%S GMT", seconds // 1)
end

return {
  ["500"] = instead(500), ["502"] = instead(502), ["503"] = instead(503), ["504"] = instead(504),
  ["502-after-commit"] = after_commit("a POST is carried out, its answer a proxy's 502", when.post,
    function() return page(502) end),
  ["504-after-commit"] = after_commit("a POST is carried out, its answer a proxy's 504", when.post,
    function() return page(504) end),
  ["drop-claim-response"] = after_commit("the first claim is made, its answer lost (504)",
    when.claim, function() return page(504) end, true),
  ["drop-submit-response"] = after_commit("the first submission is stored, its answer lost (504)",
    when.submit, function() return page(504) end, true),
  ["reset-after-commit"] = after_commit("a POST is carried out, then the connection closes",
    when.post, dropped),
  ["reset"] = { about = "the connection closes, nothing is done", when = when.api, act = dropped },
  ["429"] = too_many("/api/ answers 429, Retry-After in seconds", function(seconds)
    return ("%d"):format(seconds // 1)
  end, "SECONDS"),
  ["429-date"] = too_many("the same, Retry-After a date so many seconds away", function(seconds)
    return date(sys.time() + seconds)
  end, "SECONDS"),
  ["429-absurd"] = too_many("the same, Retry-After in thirty years", function()
    return "999999999"
  end),
  ["truncate"] = sent("answers break off in the middle; their length promised more",
    function(response) response.cut = #(response.body or "") // 2 end),
  ["truncate-chunk"] = sent("answers without a length break off in the middle", function(response)
    response.cut, response.chunked = #(response.body or "") // 2, true
  end),
  ["cut"] = sent("answers break off after so many bytes", function(response, bytes)
    response.cut = math.min(bytes // 1 | 0, #(response.body or ""))
  end, "BYTES", 0),
  ["chunked"] = sent("answers tell no length; nothing is wrong with that", function(response)
    response.chunked = true
  end),
  ["slow-loris"] = sent("answers come a byte at a time, so many seconds each",
    function(response, seconds) response.pace = seconds end, "SECONDS", 0.01),
  ["slow"] = { about = "every answer waits so many seconds", when = function() return true end,
    number = "SECONDS", act = function(request, go_on, seconds)
      sys.sleep(seconds)
      return go_on(request)
    end },
  ["clock-ahead"] = sent("the Date header is so many seconds ahead", function(response, seconds)
    response.headers.Date = date(sys.time() + seconds)
  end, "SECONDS", 600),
  ["clock-behind"] = sent("the Date header is so many seconds behind", function(response, seconds)
    response.headers.Date = date(sys.time() - seconds)
  end, "SECONDS", 600),
  ["redirect-loop"] = redirect("/api/ redirects to itself, for ever", function(request)
    return request.path
  end),
  ["redirect-away"] = redirect("/api/ redirects to another host", function(request)
    return "https://127.0.0.1:1" .. request.path
  end),
  ["redirect-insecure"] = redirect("/api/ redirects to plain http elsewhere", function(request)
    return "http://coordinator.invalid" .. request.path
  end),
}
