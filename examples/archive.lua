#!/usr/bin/env -S bittern run
-- Lists an archive (zip or tar, told by its bytes), every byte checked, nothing written to disk;
-- then opens the model in it.
-- Run it: bittern run examples/archive.lua model.tar.gz
local map = require "core.map"

local archives = require "bittern.model.archive"
local model = require "bittern.model"
local report = require "bittern.report"

local path = ...
if not path then return nil, "which archive? bittern run examples/archive.lua FILE", "usage" end

local source <close>, message, code = map.open(path)
if not source then return nil, message, code end
local entries, why, id = archives.read(source, path)
if not entries then return nil, why, id end
for _, entry in ipairs(entries) do
  report.out(("%12d  %08x  %s"):format(entry.size, entry.crc32, entry.name))
end

local opened <close>, reason, kind = model.open(path)
if not opened then return nil, reason, kind end
report.out(("%d tensors, the first is %s"):format(#opened.names, opened.names[1]))
return true
