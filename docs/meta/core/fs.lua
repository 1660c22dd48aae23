---@meta core.fs
-- Generated from core/fs.c by docs/generate.lua (`make docs`); edit there.

--- reading small files, durable writes, folders, locks. A file under its final name is always whole: bytes go to a temporary file in the same folder and are renamed into place (fs_file.c).
---@class core.fs
local M = {}

---@class core.fs.lock
local lock = {}

---@class core.fs.writer
local writer = {}

---@param path string
---@param options? table {mode = 0644, exclusive = false}
---@return core.fs.writer? # writer | nil, message, code. An exclusive one does not replace what is there: "exists".
---@return string? message
---@return string? code
function M.create(path, options) end

---@param path string
---@param options? table {mode = 0644}
---@return core.fs.writer? # writer | nil, message, code. Its bytes lie in `<path>.part`, which stays when the writer is closed: work that goes on later opens it again. A commit gives it its final name. "locked" where another writer has it open.
---@return string? message
---@return string? code
function M.part(path, options) end

---@param path string
---@param bytes core.bytes string, buffer, map, slice or secret
---@param options? table {mode = 0644, exclusive = false}
---@return boolean? # true | nil, message, code. The file is there as a whole or not at all.
---@return string? message
---@return string? code
function M.write(path, bytes, options) end

---@param path string
---@param max? integer default 64 MiB
---@return string? # string | nil, message, code; a larger file is "too_large". Reads devices and pipes too, whose size nobody knows before.
---@return string? message
---@return string? code
function M.read(path, max) end

---@param path string
---@param mode? integer default 0755
---@return boolean? # true | nil, message, code; parents too.
---@return string? message
---@return string? code
function M.mkdir(path, mode) end

---@param path string
---@return boolean? # true | nil, message, code; a file or an empty folder.
---@return string? message
---@return string? code
function M.remove(path) end

---@param from string path
---@param to string path
---@return boolean? # true | nil, message, code.
---@return string? message
---@return string? code
function M.rename(from, to) end

---@param path string
---@return string? # string: absolute, without links | nil, message, code.
---@return string? message
---@return string? code
function M.realpath(path) end

---@param path string
---@return table? # {type, size, mode, uid, mtime, mtime_ns = its fraction} | nil, message, code.
---@return string? message
---@return string? code
function M.stat(path) end

---@param path string
---@param wait? number default 0 s
---@return core.fs.lock? # lock | nil, message, "locked". The kernel lets go of it when the process ends, however it ends.
---@return string? message
---@return string? code
function M.lock(path, wait) end

---@param path string
---@return integer? # integer: bytes a user may still write there | nil, message, code.
---@return string? message
---@return string? code
function M.disk_free(path) end

---@param path string
---@return table? # array of names, in no order | nil, message, code. Unlike lfs.dir, it fails when the listing breaks off.
---@return string? message
---@return string? code
function M.list(path) end

--- Lets go of the lock.
function lock:close() end

---@param bytes core.bytes string, buffer, map, slice or secret
---@return boolean? # true | nil, message, code.
---@return string? message
---@return string? code
function writer:write(bytes) end

---@param offset integer counted from 0
---@param bytes core.bytes string, buffer, map, slice or secret
---@return boolean? # true | nil, message, code: a file whose layout is known is filled in any order. write() and tell() do not notice.
---@return string? message
---@return string? code
function writer:write_at(offset, bytes) end

---@return integer # integer: bytes written so far.
function writer:tell() end

---@return string # string: path of the file that is filled, until it is committed.
function writer:temporary() end

---@return integer? # integer: bytes that the file has now | nil, message, code.
---@return string? message
---@return string? code
function writer:size() end

---@param size integer bytes
---@return boolean? # true | nil, message, code: cuts the file, or makes it longer by a hole.
---@return string? message
---@return string? code
function writer:truncate(size) end

---@return boolean? # true | nil, message, code: the bytes so far are on disk.
---@return string? message
---@return string? code
function writer:sync() end

---@return boolean? # true | nil, message, code: the bytes are on disk, and the file has its name.
---@return string? message
---@return string? code
function writer:commit() end

--- Drops what was written and not committed, but for a part. The end of a scope (`<close>`) does the same.
function writer:close() end

return M
