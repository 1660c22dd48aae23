#!/usr/bin/env -S bittern run
-- Writes an archive twice and shows that time leaves no trace in it; then maps an entry inside it.
-- Run it: bittern run examples/zip.lua /tmp/example.zip
local report = require "bittern.report"
local writer = require "bittern.model.zip.writer"
local zip = require "bittern.model.zip"

local path = ...
if not path then return nil, "which file to write? bittern run examples/zip.lua FILE", "usage" end

local entries = {
  { name = "config.json", text = '{"model_type":"example"}' },
  { name = "weights", text = ("\0\1\2\3"):rep(64) },
}
local first = assert(writer.write(path, entries))
local second = assert(writer.write(path, { entries[2], entries[1] }))
assert(first.sha256 == second.sha256)
report.out(("%s  %d bytes  %s"):format(second.sha256, second.size, second.path))

local archive <close> = assert(zip.open(path))
for _, entry in ipairs(archive.entries) do
  report.out(("%-12s %6d bytes at %d"):format(entry.name, entry.size, entry.offset))
end
local slice = assert(archive:slice("weights"))
report.out("byte 2 of weights is " .. slice:read(2, 1):byte())
return true
