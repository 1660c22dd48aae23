-- Writes the bill of materials, SPDX 2.3 as JSON: every Debian package whose files this program
-- loads when all of its modules are loaded. `bittern run docs/sbom.lua FILE`.
local fs = require "core.fs"
local process = require "core.process"

local canonical = require "bittern.canonical"
local libraries = require "bittern.libraries"

local function output(...)
  local done = assert(process.run { argv = { ... } })
  return done.status == 0 and done.stdout or nil
end

-- Shared objects by what is mapped, Lua's modules by where they were found.
local function loaded_files()
  local files = {}
  libraries.versions()
  for name in assert(fs.read("/proc/self/maps", 1 << 20)):gmatch "(/[^\n]+%.so[%d.]*)\n" do
    files[name] = true
  end
  files[assert(package.searchpath("argparse", package.path))] = true
  return files
end

-- The package that a file came with. Merged /usr: dpkg may know the file without it.
local function owner(file)
  local found = output("dpkg-query", "-S", file)
    or output("dpkg-query", "-S", (file:gsub("^/usr", "")))
  return found and found:match "^([^:]+):"
end

local function package_of(name)
  local text = assert(output("dpkg-query", "-W", "-f",
    "${Version}\t${source:Package}\t${source:Version}", name))
  local version, source, source_version = text:match "^(.-)\t(.-)\t(.-)\n?$"
  return {
    SPDXID = "SPDXRef-" .. name:gsub("[^%w.-]", "-"), name = name, versionInfo = version,
    downloadLocation = "NOASSERTION", filesAnalyzed = false,
    sourceInfo = ("Debian source package %s %s"):format(source, source_version),
    externalRefs = { { referenceCategory = "PACKAGE-MANAGER", referenceType = "purl",
      referenceLocator = ("pkg:deb/debian/%s@%s"):format(name, version) } },
  }
end

local function packages()
  local seen, list = {}, {}
  for file in pairs(loaded_files()) do
    local name = owner(file)
    if name and not seen[name] then list[#list + 1] = package_of(name) end
    if name then seen[name] = true end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function document()
  local version = require "bittern.version"
  local list, relations = packages(), {}
  for i, entry in ipairs(list) do
    relations[i] = { spdxElementId = "SPDXRef-bittern", relationshipType = "DEPENDS_ON",
      relatedSpdxElement = entry.SPDXID }
  end
  table.insert(list, 1, { SPDXID = "SPDXRef-bittern", name = "bittern", versionInfo = version,
    downloadLocation = "NOASSERTION", filesAnalyzed = false, licenseDeclared = "MIT" })
  return {
    spdxVersion = "SPDX-2.3", dataLicense = "CC0-1.0", SPDXID = "SPDXRef-DOCUMENT",
    name = "bittern-" .. version, documentDescribes = { "SPDXRef-bittern" },
    documentNamespace = "urn:bittern:" .. version, packages = list, relationships = relations,
    creationInfo = { created = os.date("!%Y-%m-%dT%H:%M:%SZ",
      tonumber(os.getenv "SOURCE_DATE_EPOCH") or os.time()), creators = { "Tool: bittern" } },
  }
end

local path = assert((...), "name a file")
assert(fs.write(path, canonical.encode(document()) .. "\n"))
