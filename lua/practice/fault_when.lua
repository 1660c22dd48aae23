-- Which requests a fault is about.
local M = {}

local function is(method, pattern)
  return function(request)
    return request.method == method and request.path:find(pattern) ~= nil
  end
end

--- Anything of the API.
function M.api(request)
  return request.path:find("^/api/") ~= nil
end

--- What changes something.
function M.post(request)
  return request.method == "POST" and M.api(request)
end

--- One route each.
M.task_list = is("GET", "^/api/v1/tasks$")
M.claim = is("POST", "^/api/v1/tasks/[^/]+/claim$")
M.submit = is("POST", "^/api/v1/submissions$")
M.file = is("GET", "^/files/")

return M
