-- What an archive may not be: every case is refused with the id that names the reason.
local archives = require "bittern.model.archive"
local make = require "tests.archives"
local map = require "core.map"

local CONFIG <const> = { name = "config.json", text = "{}" }

-- Reads bytes as an archive, and finds its model as opening it would.
local function read(bytes)
  local source <close> = map.of(bytes)
  return archives.read(source, "x")
end

local function check_all(cases)
  for _, case in ipairs(cases) do
    local name, bytes, id, says = table.unpack(case)
    it(name, function()
      if type(bytes) == "function" then bytes = bytes() end
      local entries, message, code = read(bytes)
      assert.is_nil(entries)
      assert.equal(id, code, message)
      assert.equal("x: ", message:sub(1, 3))
      assert.truthy(message:find(says, 1, true), message)
    end)
  end
end

-- A zip of config.json with these fields.
local function zip_with(fields)
  local entry = { name = "config.json", text = "{}" }
  for key, value in pairs(fields) do entry[key] = value end
  return make.zip { entry }
end

local function zip_named(name, fields)
  local entry = { name = name, text = "" }
  for key, value in pairs(fields or {}) do entry[key] = value end
  return make.zip { entry }
end

local function zip_mode(mode)
  return make.zip { { name = "x", text = "/etc/passwd", mode = mode } }
end

-- Raw deflate of zeros, larger than what is inflated at once.
local LARGE <const> = (16 << 20) + 1
local function large(fields)
  local text = ("\0"):rep(LARGE)
  local entry = { name = "w", text = text, method = 8 }
  for key, value in pairs(fields) do entry[key] = value end
  return make.zip { entry }
end

local zip64 = string.pack("<I2I2I8I8", 1, 16, 2, 2)
local FULL <const> = 0xFFFFFFFF

local function end64(fields)
  local f = { record = 44, disk = 0, here = 0, count = 0, size = 0, offset = 0, at = 0, disks = 1 }
  for key, value in pairs(fields) do f[key] = value end
  return string.pack("<c4i8I2I2I4I4i8i8i8i8", "PK\6\6", f.record, 45, 45, f.disk, 0, f.here,
    f.count, f.size, f.offset) .. string.pack("<c4I4i8I4", "PK\6\7", 0, f.at, f.disks)
    .. make.zip({}, { offset = 0 })
end

describe("an archive that is none:", function()
  local tail = ("x"):rep(600)
  check_all {
    { "an empty file", "", "archive_format", "is no archive" },
    { "a text", ("plain text "):rep(100), "archive_format", "validators say" },
    { "a GGUF file", "GGUF\3\0\0\0" .. tail, "archive_format", "is a GGUF file" },
    { "a safetensors file", string.pack("<s8", "{}") .. tail, "archive_format",
      "is a safetensors file" },
    { "a 7z archive", "7z\xBC\xAF\x27\x1C" .. tail, "archive_format", "is a 7z archive" },
    { "a RAR archive", "Rar!\x1A\7" .. tail, "archive_format", "is a RAR archive" },
    { "a tar.zst", "\x28\xB5\x2F\xFD" .. tail, "archive_format", "is a zstd stream" },
    { "a tar.lz4", "\x04\x22\x4D\x18" .. tail, "archive_format", "is an lz4 stream" },
    { "a pickle", "\x80\x02}q\0." .. tail, "archive_format", "is a pickle" },
    { "the JSON artifact of old", '{"artifact_type":"autoresearch-direct-eval-stub"}',
      "archive_format", "is JSON" },
    { "an error page", "<!DOCTYPE html>", "archive_format", "is a web page" },
    { "zeros", ("\0"):rep(10240), "archive_format", "is no archive" },
  }
end)

describe("a zip whose end is wrong:", function()
  local good = make.zip { CONFIG }
  check_all {
    { "cut in the middle", good:sub(1, #good // 2), "archive_truncated", "cut short" },
    { "cut before its last byte", good:sub(1, -2), "archive_trailing", "its last bytes" },
    { "a byte appended", good .. "x", "archive_trailing", "its last bytes" },
    { "a comment longer than it says", make.zip({ CONFIG }, { comment = "hidden", length = 3 }),
      "archive_trailing", "its last bytes" },
    { "a comment shorter than it says", make.zip({ CONFIG }, { length = 3 }), "archive_trailing",
      "its last bytes" },
    { "a comment that looks like another end", make.zip({ CONFIG }, { comment = "PK\5\6 trap" }),
      "archive_trailing", "its last bytes" },
    { "another archive in its comment", make.zip({ CONFIG }, { comment = good }),
      "archive_mismatch", "its directory is not where it says" },
    { "two archives one after the other", good .. make.zip { { name = "x" } }, "archive_mismatch",
      "its directory is not where it says" },
    { "a program in front of it", "#!/bin/sh\n" .. good, "archive_mismatch",
      "its directory is not where it says" },
    { "a program in front of it, offsets corrected", make.zip({ CONFIG }, { before = "#!/bin/sh" }),
      "archive_trailing", "9 bytes before its first entry" },
    { "a disk number", make.zip({ CONFIG }, { disk = 1 }), "archive_format", "several disks" },
    { "a directory on another disk", make.zip({ CONFIG }, { start_disk = 1 }), "archive_format",
      "several disks" },
    { "entries on another disk", make.zip({ CONFIG }, { here = 0 }), "archive_format",
      "several disks" },
    { "fewer entries than there are", make.zip({ CONFIG, { name = "b" } }, { here = 1, count = 1 }),
      "archive_mismatch", "other entries than the 1" },
    { "more entries than there are", make.zip({ CONFIG }, { here = 2, count = 2 }),
      "archive_mismatch", "other entries than the 2" },
    { "a directory said to be smaller", make.zip({ CONFIG }, { size = 10 }), "archive_mismatch",
      "not where it says" },
    { "a directory said to begin earlier", make.zip({ CONFIG }, { offset = 0 }),
      "archive_mismatch", "not where it says" },
    { "a directory said to lie past the end", make.zip({ CONFIG }, { offset = 1 << 30 }),
      "archive_mismatch", "not where it says" },
    { "bytes after its directory", make.zip({ CONFIG }, { between = "hidden" }),
      "archive_mismatch", "not where it says" },
    { "bytes before its directory", make.zip({ CONFIG }, { gap = "hidden" }), "archive_trailing",
      "6 bytes after entry 'config.json' belong to none" },
    { "bytes between two entries", make.zip { { name = "a", behind = "hidden" }, CONFIG },
      "archive_trailing", "6 bytes after entry 'a'" },
    { "a zip64 end that lies elsewhere", end64 { at = 8 }, "archive_damaged", "zip64 end record" },
    { "a zip64 end beyond 2^63", end64 { at = math.maxinteger }, "archive_mismatch",
      "not where it says" },
    { "a zip64 end of another size", end64 { record = 45 }, "archive_damaged", "zip64 end record" },
    { "a zip64 end of a size that wraps", end64 { record = -12 }, "archive_damaged",
      "zip64 end record" },
    { "a zip64 end with a negative count", end64 { here = -1, count = -1 }, "archive_damaged",
      "zip64 end record" },
    { "a zip64 end with a directory of 2^62 bytes", end64 { size = 1 << 62 }, "archive_damaged",
      "zip64 end record" },
    { "a zip64 end on another disk", end64 { disk = 1 }, "archive_format", "several disks" },
    { "two million entries", end64 { here = 2000000, count = 2000000 }, "archive_bomb",
      "2000000 entries, more than 100000" },
  }
end)

describe("a zip whose entries are wrong:", function()
  local two = { name = "a", text = "aaaa" }
  local overlapping = make.zip { two, CONFIG }
  check_all {
    { "a directory header without its mark", zip_with { at_central = { mark = "PK\1\3" } },
      "archive_damaged", "its directory is broken at entry 1" },
    { "a name longer than the directory", zip_with { at_central = { name_length = 5000 } },
      "archive_damaged", "its directory is broken at entry 1" },
    { "an extra field longer than the extra", zip_with { at_central = { extra = "\1\0\9\0xx" } },
      "archive_damaged", "extra fields are broken" },
    { "two zip64 fields", zip_with { at_central = { extra = zip64 .. zip64 } }, "archive_damaged",
      "extra fields are broken" },
    { "full sizes without a zip64 field", zip_with { at_central = { size = FULL, stored = FULL } },
      "archive_damaged", "lacks its zip64 sizes" },
    { "a zip64 field that is too short", zip_with { at_central = { size = FULL, stored = FULL,
      extra = string.pack("<I2I2I8", 1, 8, 2) } }, "archive_damaged", "lacks its zip64 sizes" },
    { "a negative zip64 size", zip_with { at_central = { size = FULL, stored = FULL,
      extra = string.pack("<I2I2i8i8", 1, 16, -2, -2) } }, "archive_damaged",
      "lacks its zip64 sizes" },
    { "a zip64 offset of 2^62", zip_with { at_central = { offset = FULL,
      extra = string.pack("<I2I2i8", 1, 8, 1 << 62) } }, "archive_damaged",
      "lacks its zip64 sizes" },
    { "an entry on another disk", zip_with { at_central = { disk = 2 } }, "archive_format",
      "several disks" },
    { "a local header without its mark", zip_with { at_local = { mark = "PK\3\5" } },
      "archive_damaged", "lies outside of the file" },
    { "a local header outside of the file", zip_with { at_central = { offset = 1 << 30 } },
      "archive_damaged", "lies outside of the file" },
    { "a local header in the directory", zip_with { at_central = { offset = 43 } },
      "archive_damaged", "lies outside of the file" },
    { "another name in the local header", zip_with { at_local = { name = "konfig.json" } },
      "archive_mismatch", "described in two ways" },
    { "a longer name in the local header", zip_with { at_local = { name = "config.json.bak" } },
      "archive_mismatch", "described in two ways" },
    { "another CRC in the local header", zip_with { at_local = { crc32 = 1 } }, "archive_mismatch",
      "described in two ways" },
    { "another size in the local header", zip_with { at_local = { size = 1 } }, "archive_mismatch",
      "described in two ways" },
    { "another stored size in the local header", zip_with { at_local = { stored = 1 } },
      "archive_mismatch", "described in two ways" },
    { "another method in the local header", zip_with { at_local = { method = 8 } },
      "archive_mismatch", "described in two ways" },
    { "another flag in the local header", zip_with { at_local = { flags = 2 } },
      "archive_mismatch", "described in two ways" },
    { "broken extra fields in the local header", zip_with { at_local = { extra = "\1\0\9\0" } },
      "archive_mismatch", "described in two ways" },
    { "stored with two sizes", zip_with { size = 1 }, "archive_mismatch", "two sizes" },
    { "a descriptor that is missing", zip_with { flags = 8 }, "archive_mismatch",
      "in another way behind its data" },
    { "a descriptor with another CRC",
      zip_with { flags = 8, behind = string.pack("<c4I4I4I4", "PK\7\8", 1, 2, 2) },
      "archive_mismatch", "in another way behind its data" },
    { "a descriptor of no known size", zip_with { flags = 8, behind = ("x"):rep(13) },
      "archive_mismatch", "in another way behind its data" },
    { "a folder with data", zip_named("d/", { text = "x" }), "archive_mismatch",
      "folder 'd/' has data" },
    { "an entry that reaches into the next", make.zip { { name = "a", text = "aaaa", size = 30,
      stored = 30 }, CONFIG }, "archive_overlap", "entry 'a' overlaps" },
    { "an entry that reaches into the directory", zip_with { size = 30, stored = 30 },
      "archive_overlap", "entry 'config.json' overlaps" },
    { "two entries of the same bytes", make.zip { two, { name = "a", at_central = { offset = 0,
      name = "a" }, text = "aaaa" } }, "archive_duplicate", "stands twice" },
    { "two names of the same bytes", make.zip { two, { name = "b", text = "aaaa",
      at_central = { offset = 0 } } }, "archive_mismatch", "described in two ways" },
    -- Fifield's "better zip bomb": the data of one entry is the header and data of the next.
    { "an entry that quotes the next one's header", make.zip { { name = "a", text = "",
      data = "", size = 45, stored = 45, crc32 = 0 }, CONFIG }, "archive_overlap",
      "entry 'a' overlaps" },
    { "a directory cut by one entry", overlapping:sub(1, -23 - 47) .. overlapping:sub(-22),
      "archive_mismatch", "not where it says" },
  }
end)

describe("a zip whose names are wrong:", function()
  local long = ("part/"):rep(300) .. "x"
  check_all {
    { "a name that climbs", zip_named "../x", "archive_path", "leaves its folder" },
    { "a name that climbs later", zip_named "a/../../x", "archive_path", "leaves its folder" },
    { "a name that climbs and stops", zip_named "a/..", "archive_path", "leaves its folder" },
    { "a part that is a point", zip_named "./x", "archive_path", "leaves its folder" },
    { "an absolute name", zip_named "/etc/passwd", "archive_path", "is absolute" },
    { "a name with a drive", zip_named "C:x", "archive_path", "is absolute" },
    { "a backslash", zip_named "..\\x", "archive_path", "backslash" },
    { "a network share", zip_named "\\\\host\\x", "archive_path", "backslash" },
    { "a zero byte", zip_named "config.json\0.txt", "archive_path", "zero byte" },
    { "a control character", zip_named "a\27[2Jb", "archive_path", "control character" },
    { "an empty name", zip_named "", "archive_path", "is empty" },
    { "an empty part", zip_named "a//b", "archive_path", "empty part" },
    { "a name that is not UTF-8", zip_named("a\xFF", { flags = 0x800 }), "archive_path",
      "is not UTF-8" },
    { "a name that does not say it is UTF-8", zip_named "ß", "archive_path",
      "not marked as UTF-8" },
    { "a name that is too long", zip_named(long), "archive_path", "longer than 1024 bytes" },
    { "a part that is too long", zip_named(("x"):rep(201)), "archive_path", "more than 200 bytes" },
    { "another name in a field of its own",
      zip_with { extra = string.pack("<I2s2", 0x7075, "\1\0\0\0\0../evil") }, "archive_mismatch",
      "has another name beside" },
    { "a name twice", make.zip { CONFIG, CONFIG }, "archive_duplicate", "stands twice" },
    { "names that differ in case", make.zip { CONFIG, { name = "Config.JSON" } },
      "archive_duplicate", "differ only in case" },
    { "a file that is a folder, too", make.zip { { name = "a" }, { name = "a/b" } },
      "archive_duplicate", "both a file and a folder" },
    { "a folder that is a file, too", make.zip { { name = "a/b" }, { name = "a" } },
      "archive_duplicate", "both a file and a folder" },
    { "an empty folder that is a file, too", make.zip { { name = "a/" }, { name = "A" } },
      "archive_duplicate", "both a file and a folder" },
  }
end)

describe("a zip whose members are wrong:", function()
  local text = ("weights"):rep(100)
  local deflated = require "core.archive".deflate(text)
  local function member(fields)
    local entry = { name = "w", text = text, method = 8 }
    for key, value in pairs(fields) do entry[key] = value end
    return make.zip { entry }
  end
  check_all {
    { "a symbolic link", zip_mode(0xA1FF), "archive_link", "is a link or device" },
    { "a symbolic link made on macOS", make.zip { { name = "x", text = "/", mode = 0xA1FF,
      made_by = 19 << 8 | 20 } }, "archive_link", "is a link or device" },
    { "a character device", zip_mode(0x21B6), "archive_link", "is a link or device" },
    { "a block device", zip_mode(0x61B6), "archive_link", "is a link or device" },
    { "a pipe", zip_mode(0x11B6), "archive_link", "is a link or device" },
    { "a socket", zip_mode(0xC1B6), "archive_link", "is a link or device" },
    { "encryption", zip_with { flags = 0x0001 }, "archive_encrypted", "is encrypted" },
    { "strong encryption", zip_with { flags = 0x0041 }, "archive_encrypted", "is encrypted" },
    { "a masked header", zip_with { flags = 0x2000 }, "archive_encrypted", "is encrypted" },
    { "AES encryption", zip_with { method = 99 }, "archive_method", "method 99" },
    { "shrinking", zip_with { method = 1 }, "archive_method", "method 1," },
    { "deflate64", zip_with { method = 9 }, "archive_method", "method 9," },
    { "zstd", zip_with { method = 93 }, "archive_method", "method 93" },
    { "xz", zip_with { method = 95 }, "archive_method", "method 95" },
    { "stored bytes that changed", zip_with { crc32 = 1 }, "archive_damaged", "its CRC-32 is" },
    { "deflated bytes that changed", member { crc32 = 1 }, "archive_damaged", "its CRC-32 is" },
    { "a broken deflate stream", member { data = ("\xFF"):rep(50) }, "archive_damaged",
      "does not inflate to 700 bytes" },
    { "a deflate stream cut short", member { data = deflated:sub(1, -2) }, "archive_damaged",
      "does not inflate to 700 bytes" },
    { "bytes after a deflate stream", member { data = deflated .. "hidden" }, "archive_damaged",
      "does not inflate to 700 bytes" },
    { "more bytes than it says", member { size = 699 }, "archive_damaged",
      "does not inflate to 699 bytes" },
    { "fewer bytes than it says", member { size = 701 }, "archive_damaged",
      "does not inflate to 701 bytes" },
    { "a large member with another CRC", function() return large { crc32 = 1 } end,
      "archive_damaged", "entry 'w' is damaged" },
    { "a large member with more bytes than it says",
      function() return large { text = ("\0"):rep(LARGE + (1 << 20)), size = LARGE } end,
      "archive_bomb", "more than 16777217 bytes" },
    { "a large member with fewer bytes than it says",
      function() return large { size = LARGE + 1 } end, "archive_damaged", "entry 'w' is damaged" },
    { "a large member that is cut short", function()
      local whole = require "core.archive".deflate(("\0"):rep(LARGE))
      return large { data = whole:sub(1, -9) }
    end, "archive_damaged", "entry 'w' is damaged" },
    { "a large bzip2 member that is none", large { method = 12, data = "BZh9" .. ("x"):rep(99),
      text = "", size = LARGE }, "archive_damaged", "entry 'w' is damaged" },
    { "a large LZMA member that is none", large { method = 14, data = "\9\4\5\0" .. ("x"):rep(99),
      text = "", size = LARGE }, "archive_damaged", "entry 'w' is damaged" },
    { "an entry that says it is 4 GiB", zip_with { method = 8, size = FULL - 1 }, "archive_bomb",
      "would unpack to 4294967294 bytes" },
    { "entries that are a bomb together", function()
      local entries = {}
      for i = 1, 40 do entries[i] = { name = "e" .. i, method = 8, text = "", size = 2000000 } end
      return make.zip(entries)
    end, "archive_bomb", "would unpack to 80000000 bytes" },
  }
end)

local function tar_named(name, fields)
  local entry = { name = name, text = "x" }
  for key, value in pairs(fields or {}) do entry[key] = value end
  return make.tar { entry }
end

local function tar_pax(records, kind)
  return make.tar { { name = "x", text = "", before = make.pax(records, kind) } }
end

describe("a tar whose blocks are wrong:", function()
  local good = make.tar { CONFIG, { name = "w", text = ("w"):rep(2000) } }
  local data_end = 512 * 2 + 512 + 2048
  check_all {
    { "cut inside of a header", good:sub(1, 1024 + 100), "archive_truncated", "cut short" },
    { "cut inside of data", good:sub(1, 1024 + 512 + 900), "archive_truncated", "cut short" },
    { "cut in the padding", good:sub(1, data_end - 20), "archive_truncated", "cut short" },
    { "cut after an entry", good:sub(1, data_end), "archive_truncated", "lacks the zeros" },
    { "cut after one block of zeros", good:sub(1, data_end + 512), "archive_truncated",
      "lacks the zeros" },
    { "data after its end", good .. "hidden", "archive_trailing", "data after its last entry" },
    { "another entry after its end", good .. make.tar { { name = "x" } }, "archive_trailing",
      "data after its last entry" },
    { "an entry after one block of zeros",
      good:sub(1, data_end + 512) .. make.tar { { name = "x" } }, "archive_trailing",
      "data after its last entry" },
    { "a wrong checksum later on", make.tar { CONFIG, { name = "b", sum = "000000\0 " } },
      "archive_damaged", "" },
    { "a size that is no number", make.tar { CONFIG, { name = "b", size_field = "size........" } },
      "archive_damaged", "" },
    { "a negative size", make.tar { CONFIG, { name = "b", size_field = ("\xFF"):rep(12) } },
      "archive_damaged", "" },
    { "a size of 2^62", make.tar { CONFIG, { name = "b",
      size_field = "\x80\0\0\0\x40\0\0\0\0\0\0\0" } }, "archive_truncated", "cut short" },
    { "an extended header of 100 KiB", tar_pax { comment = ("x"):rep(100 << 10) }, "archive_bomb",
      "header of more than 65536 bytes" },
    { "an extended header of 1 MiB", tar_pax { comment = ("x"):rep(1 << 20) }, "archive_damaged",
      "too large" },
    { "an extended header without an entry", make.tar({}, make.pax { path = "x" }),
      "archive_truncated", "" },
    { "an extended header that is no text", tar_pax "nonsense", "archive_damaged", "" },
    { "a record longer than its header", tar_pax "999 path=x\n", "archive_damaged", "" },
    { "a header that says it is endless", make.tar { CONFIG, { name = "x", type = "x",
      size_field = "77777777777\0" } }, "archive_damaged", "" },
    { "the end of a zip in its last bytes", good:sub(1, -30) .. "PK\5\6" .. ("\0"):rep(26),
      "archive_trailing", "its last bytes do not belong" },
    { "a zip archive behind it", good .. make.zip { CONFIG }, "archive_mismatch",
      "its directory is not where it says" },
  }
end)

describe("a tar whose entries are wrong:", function()
  local x200 = ("x"):rep(201)
  check_all {
    { "a name that climbs", tar_named "../x", "archive_path", "leaves its folder" },
    { "a name that climbs after a point", tar_named "./../x", "archive_path",
      "leaves its folder" },
    { "a name that climbs by its prefix", tar_named("x", { prefix = "a/../.." }), "archive_path",
      "leaves its folder" },
    { "a name that climbs by an extended header", tar_pax { path = "../../x" }, "archive_path",
      "leaves its folder" },
    { "an absolute name", tar_named "/etc/passwd", "archive_path", "is absolute" },
    { "an absolute name after a point", tar_named ".//etc/passwd", "archive_path",
      "is absolute" },
    { "a backslash", tar_named "a\\..\\x", "archive_path", "backslash" },
    { "a control character", tar_named "a\nb", "archive_path", "control character" },
    { "a name that is not UTF-8", tar_named "a\xFF", "archive_path", "is not UTF-8" },
    { "an empty name", tar_named "", "archive_path", "is empty" },
    { "an empty part", tar_named "a//b", "archive_path", "empty part" },
    { "a part that is too long", tar_pax { path = x200 }, "archive_path", "more than 200 bytes" },
    { "a name that is too long", tar_pax { path = ("p/"):rep(600) .. "x" }, "archive_path",
      "longer than 1024 bytes" },
    { "a zero byte in an extended header", tar_pax { path = "config.json\0.txt" }, "archive_path",
      "zero byte" },
    { "a zero byte in a header for all entries", tar_pax({ comment = "a\0b" }, "g"),
      "archive_path", "zero byte" },
    { "an extended header with a binary size", make.tar { { name = "x", before = make.tar_header {
      name = "pax", type = "x", size_field = "\x80\0\0\0\0\0\0\0\0\0\0\9" } .. "9 path=y\n"
      .. ("\0"):rep(503) } }, "archive_path", "zero byte" },
    { "a name twice", make.tar { CONFIG, CONFIG }, "archive_duplicate", "stands twice" },
    { "a name twice, once after a point", make.tar { CONFIG, { name = "./config.json" } },
      "archive_duplicate", "stands twice" },
    { "names that differ in case", make.tar { CONFIG, { name = "CONFIG.json" } },
      "archive_duplicate", "differ only in case" },
    { "a file that is a folder, too", make.tar { { name = "a" }, { name = "a/b" } },
      "archive_duplicate", "both a file and a folder" },
    { "a folder that is a file, too", make.tar { { name = "a", type = "5" }, { name = "a" } },
      "archive_duplicate", "both a file and a folder" },
    { "a file named like a folder", tar_named "a/", "archive_mismatch",
      "folder 'a/' has data" },
    { "a symbolic link", tar_named("x", { type = "2", link = "/etc/passwd", text = "" }),
      "archive_link", "is a link" },
    { "a symbolic link by an extended header", make.tar { { name = "x", type = "2", text = "",
      before = make.pax { linkpath = "/etc/passwd" } } }, "archive_link", "is a link" },
    { "a hard link", make.tar { CONFIG, { name = "x", type = "1", link = "config.json" } },
      "archive_link", "is a link" },
    { "a character device", tar_named("x", { type = "3", text = "" }), "archive_link", "device" },
    { "a block device", tar_named("x", { type = "4", text = "" }), "archive_link", "device" },
    { "a pipe", tar_named("x", { type = "6", text = "" }), "archive_link", "pipe" },
    { "a sparse file", tar_pax { ["GNU.sparse.map"] = "0,0,9,0", ["GNU.sparse.size"] = "9" },
      "archive_method", "sparse" },
  }
end)

describe("a compressed tar that is wrong:", function()
  local good = make.tar { CONFIG, { name = "w", text = ("weights"):rep(3000) } }
  local gzip = make.gzip(good)
  local bzip2, xz = make.bzip2(good), make.xz(good)
  local zeros = make.tar { CONFIG, { name = "w", text = ("\0"):rep(80 << 20) } }
  check_all {
    { "a gzip file of text", make.gzip(("text "):rep(200)), "archive_format", "holds no tar" },
    { "a gzip file of nothing", make.gzip "", "archive_truncated", "cut short" },
    { "a gzip file of a zip", make.gzip(make.zip { CONFIG }), "archive_format", "holds no tar" },
    { "a tar wrapped twice", make.gzip(gzip), "archive_format", "holds no tar" },
    { "a gzip header alone", gzip:sub(1, 10), "archive_truncated", "" },
    { "a gzip stream cut short", gzip:sub(1, -20), "archive_truncated", "cut short" },
    { "a gzip trailer cut short", gzip:sub(1, -2), "archive_truncated", "cut short" },
    { "bytes after a gzip stream", gzip .. "hidden", "archive_trailing", "after its compressed" },
    { "zeros after a gzip stream", gzip .. ("\0"):rep(512), "archive_trailing",
      "after its compressed" },
    { "a wrong gzip checksum", make.gzip(good, { crc32 = 1 }), "archive_damaged", "checksum" },
    { "a wrong gzip size", make.gzip(good, { size = 1 }), "archive_damaged", "checksum" },
    { "a broken gzip stream", gzip:sub(1, 20) .. ("\xFF"):rep(200) .. gzip:sub(60),
      "archive_damaged", "" },
    { "two gzip streams", gzip .. make.gzip "hidden", "archive_trailing", "data after its last" },
    { "an archive cut short, then compressed", make.gzip(good:sub(1, -1025)), "archive_truncated",
      "lacks the zeros" },
    { "data after the end, then compressed", make.gzip(good .. "hidden"), "archive_trailing",
      "data after its last" },
    { "a gzip bomb", function() return make.gzip(zeros) end, "archive_bomb", "unpacks to more" },
    { "a gzip bomb after the end", function()
      return make.gzip(good .. ("\0"):rep(80 << 20))
    end, "archive_bomb", "unpacks to more" },
    { "a bzip2 bomb", function() return make.bzip2(zeros) end, "archive_bomb", "unpacks to more" },
    { "an xz bomb", function() return make.xz(zeros) end, "archive_bomb", "unpacks to more" },
    { "a bzip2 file of text", make.bzip2(("text "):rep(200)), "archive_format", "holds no tar" },
    { "a bzip2 stream cut short", bzip2:sub(1, -5), "archive_truncated", "cut short" },
    { "a broken bzip2 stream", bzip2:sub(1, 60) .. "xxxx" .. bzip2:sub(65), "archive_damaged", "" },
    { "bytes after a bzip2 stream", bzip2 .. "hidden", "archive_trailing", "after its compressed" },
    { "an xz file of text", make.xz(("text "):rep(200)), "archive_format", "holds no tar" },
    { "an xz stream cut short", xz:sub(1, -5), "archive_truncated", "cut short" },
    { "a broken xz stream", xz:sub(1, 60) .. "xxxx" .. xz:sub(65), "archive_damaged", "" },
    { "bytes after an xz stream", xz .. ("hidden"):rep(20), "archive_damaged", "" },
    { "an xz header alone", xz:sub(1, 12), "archive_truncated", "" },
  }
end)
