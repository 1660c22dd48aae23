-- /openapi.json, made of the very table that requests are dispatched by, so that it cannot say
-- anything else than what is done.
local canonical = require "bittern.canonical"
local records = require "bittern.coordinator.records"
local version = require "bittern.version"

local answer = require "bittern.practice.answer"

local function one(value)
  return canonical.array { value }
end

local function ref(kind)
  return { ["$ref"] = "#/components/schemas/" .. kind }
end

local numbers = { type = "object", additionalProperties = { type = "number" } }

-- What fields of records are; anything of them may be null or missing.
local record_types = {
  text = "string", number = "number", integer = "integer", boolean = "boolean",
}

local function record_field(kind)
  if record_types[kind] then
    return { type = canonical.array { record_types[kind], "null" } }
  end
  if kind == "metrics" then return { anyOf = canonical.array { numbers, { type = "null" } } } end
  if kind == "list" then return { type = "array" } end
  if kind == "object" then return { type = "object" } end
  if kind[1] then return { type = "array", items = ref(kind[1]) } end
  return { anyOf = canonical.array { ref(next(kind)), { type = "null" } } }
end

local function record_schemas()
  local schemas = {}
  for kind, fields in pairs(records.fields) do
    local properties = {}
    for name, field in pairs(fields) do properties[name] = record_field(field) end
    schemas[kind] = { type = "object", properties = properties, additionalProperties = true }
  end
  return schemas
end

local function length(schema, field, low, high)
  schema[low], schema[high] = field.min, field.max
  return schema
end

-- What bittern.practice.body checks, in the words of a schema.
local body_types = {
  string = function(field) return length({ type = "string" }, field, "minLength", "maxLength") end,
  integer = function(field) return length({ type = "integer" }, field, "minimum", "maximum") end,
  texts = function(field)
    return length({ type = "array", items = { type = "string" } }, field, "minItems", "maxItems")
  end,
  texts_by_name = function()
    return { type = "object", additionalProperties = { type = "string" } }
  end,
  metrics = function() return numbers end,
  choice = function(field)
    return { type = "string", enum = canonical.array { table.unpack(field.choices) } }
  end,
}

local function body_schema(fields)
  local properties, required = {}, canonical.array {}
  for _, field in ipairs(fields) do
    properties[field.name] = body_types[field.type](field)
    if field.required then required[#required + 1] = field.name end
  end
  return { type = "object", properties = properties, required = required }
end

local function request_body(route)
  if route.raw then
    return { required = true, content = { ["application/octet-stream"] = {} } }
  end
  if not route.body then return nil end
  return {
    required = not route.optional_body,
    content = { ["application/json"] = { schema = body_schema(route.body) } },
  }
end

local media = { text = "text/plain", html = "text/html", file = "application/octet-stream" }

local function content(route)
  local kind = media[route.answer]
  if kind then return { [kind] = { schema = { type = "string" } } } end
  if not records.fields[route.answer] then
    return route.answer == "object" and { ["application/json"] = { schema = { type = "object" } } }
  end
  local schema = ref(route.answer)
  if route.list then schema = { type = "array", items = schema } end
  return { ["application/json"] = { schema = schema } }
end

local function responses(route)
  local good = { description = route.about, content = content(route) or nil }
  local all = { [tostring(route.status or 200)] = good }
  if route.body then all["422"] = { description = "the body is not what it should be" } end
  if route.auth then all["401"] = { description = "not signed, or not rightly" } end
  return all
end

local function parameters(route)
  local list = canonical.array {}
  for name in route.path:gmatch("{([%w_]+)}") do
    list[#list + 1] = {
      name = name, ["in"] = "path", required = true, schema = { type = "string" },
    }
  end
  for _, name in ipairs(route.query or {}) do
    list[#list + 1] = {
      name = name, ["in"] = "query", required = false, schema = { type = "string" },
    }
  end
  return list
end

local signed = { hotkey = canonical.array {}, timestamp = canonical.array {},
  signature = canonical.array {} }
local admin = { admin_token = canonical.array {} }

local function operation(route)
  return {
    summary = route.about, parameters = parameters(route), requestBody = request_body(route),
    responses = responses(route), ["x-auth"] = route.auth,
    security = route.auth and one(route.auth == "admin" and admin or signed) or nil,
  }
end

local function header(name)
  return { type = "apiKey", ["in"] = "header", name = name }
end

local function document(routes)
  local paths = {}
  for _, route in ipairs(routes) do
    paths[route.path] = paths[route.path] or {}
    paths[route.path][route.method:lower()] = operation(route)
  end
  return {
    openapi = "3.1.0", info = { title = "bittern practice coordinator", version = version },
    paths = paths,
    components = {
      schemas = record_schemas(),
      securitySchemes = {
        hotkey = header "X-Hotkey", timestamp = header "X-Timestamp",
        signature = header "X-Signature", admin_token = header "X-Admin-Token",
      },
    },
  }
end

return {
  { "GET", "/openapi.json", function(context) return answer.json(200, document(context.routes)) end,
    about = "this service, described", answer = "openapi" },
}
