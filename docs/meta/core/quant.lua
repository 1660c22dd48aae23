---@meta core.quant
-- Generated from core/quant.c by docs/generate.lua (`make docs`); edit there.

--- codecs between floats and packed rows, and the moves of whole rows that packing needs. This file has the module, its shared checks and the moves; quant_*.c have the rest. Kernels are chosen in codecs.c.
---@class core.quant
local M = {}

---@param codec string such as "b1" or "tq1_0"; core.quant.codecs lists them
---@param cols integer columns of the matrix
---@return integer # integer: bytes of one row's codes or blocks.
function M.row_bytes(codec, cols) end

---@param codec string such as "b1" or "tq1_0"; core.quant.codecs lists them
---@return integer # integer, integer: values and bytes of a block; 0, 0 for codecs without blocks.
---@return integer
function M.block(codec) end

---@return table # {name = {bits = per weight, and of GGUF's: id, block = values, bytes = of a block; of ours: group = columns to a scale, or 0 when the caller chooses}}.
function M.codecs() end

---@return string? # string or nil, array: name of the instruction set in use, nil when BITTERN_ISA names none that this processor has; and those it has, slowest first.
---@return table
function M.isa() end

---@param dtype string "f32", "f16", "bf16", ...
---@param source core.bytes bytes
---@return core.buffer.buffer # f32 buffer.
function M.widen(dtype, source) end

---@param dtype string "f32", "f16", "bf16", ...
---@param values core.buffer.buffer f32 buffer
---@return core.buffer.buffer # buffer of that dtype, rounded to nearest even.
function M.narrow(dtype, values) end

---@param source core.bytes bytes
---@param row_size integer integer: bytes
---@param rows core.buffer.buffer i32 buffer
---@return core.buffer.buffer? # u8 buffer: the rows of `source` that `rows` names, in its order | nil, message, "out_of_range".
---@return string? message
---@return string? code
function M.gather(source, row_size, rows) end

---@param target core.buffer.buffer f32 buffer
---@param cols integer columns of the matrix
---@param rows core.buffer.buffer i32 buffer
---@param source core.buffer.buffer f32 buffer
---@return core.buffer.buffer? # buffer: `target`, whose row rows[i] has become row i of `source` | nil, message, "out_of_range".
---@return string? message
---@return string? code
function M.scatter(target, cols, rows, source) end

---@param codec string such as "b1" or "tq1_0"; core.quant.codecs lists them
---@param weights core.bytes buffer of f32, f16 or bf16, or bytes of option `dtype`
---@param rows integer rows of the matrix
---@param cols integer columns of the matrix
---@param options? table
---@return table? # {codes = u8 [rows, row_bytes], scales = f16 [rows, groups], errors = f32 [rows], norms = f32 [rows] with norms, more = {{codes =, scales =}, ...} with bases, offsets = f16 [rows, groups] with offsets} or, with errors_only, {errors, norms} | nil, message, code. `weights` are a buffer of f32, f16 or bf16, or bytes of option `dtype`, which are read where they lie. Options: dtype; rows = i32 buffer of the ascending numbers of those that are encoded; group = columns to a scale, 0 for the whole row; scale = "least_squares"|"mean_abs"; iterations = 8, of Lloyd's fits and those of bases; bases = 1..4; offsets = false; columns = f16 [cols], factors of the decoded values; importance = f32 [cols], numbers h >= 0; errors_only = false; norms = errors_only; threads = 1; into = what an earlier call returned: it is returned again, its buffers filled anew where they have room. q4 always takes the scale of least error. The error of a row is the sum of h (w - v)^2 over its columns, v being what quant.decode gives for the rounded scales; its norm is the sum of h w^2. Fits minimise the same sum: binary scales are the weighted mean of |w|, ternary ones Lloyd's, bases and offsets least squares under given codes in turn with the nearest codes.
---@return string? message
---@return string? code
function M.encode(codec, weights, rows, cols, options) end

---@param codec string such as "b1" or "tq1_0"; core.quant.codecs lists them
---@param codes core.bytes packed codes: string, buffer or slice
---@param scales core.bytes string, buffer or slice of f16
---@param rows integer rows of the matrix
---@param cols integer columns of the matrix
---@param options? table {group = 0, dtype = "f32", into = buffer to fill, threads = 1, more = {{codes =, scales =}, ...}, offsets =, columns =}
---@return core.buffer.buffer? # buffer | nil, message, code. Codes, scales and the like may come from a file: those of `more` are as the first ones, `offsets` as scales, `columns` f16 [cols]. See docs/formats.md.
---@return string? message
---@return string? code
function M.decode(codec, codes, scales, rows, cols, options) end

---@param codec string such as "b1" or "tq1_0"; core.quant.codecs lists them
---@param weights core.bytes buffer of f32, f16 or bf16, or bytes of option `dtype`
---@param rows integer rows of the matrix
---@param cols integer columns of the matrix
---@param options? table {group = 0, iterations = 4, dtype, importance = f32 [cols], rows = i32 buffer of the ascending numbers of those that are looked at, threads = 1}
---@return core.buffer.buffer? # f16 buffer [cols] | nil, message, code. Factors c for quant.encode's option `columns` that lessen the sum of h (w - s q c)^2 over codes q and scales s of rows or their groups. Every round reads the weights once: with the factors so far each row has its scales, and with these each column its factor. The first round, and all of b1 and q4, takes the signs as codes; the others of ternary codecs take their zeros too. The root mean square of a group's factors is 1; a column of zeros has 0, unless all weights are. Weights are those of quant.encode. Memory is 64 rows of sums.
---@return string? message
---@return string? code
function M.column_scales(codec, weights, rows, cols, options) end

---@param codec string such as "b1" or "tq1_0"; core.quant.codecs lists them
---@param weights core.bytes as encode's
---@param cols integer columns of the matrix
---@param options? table {fit = "reference"|"least_squares", iterations = 8, errors = false, dtype, threads = 1}
---@return core.buffer.buffer? # u8 buffer of blocks [, f32 buffer of each row's squared error] | nil, message, code.
---@return core.buffer.buffer?
---@return string? message
---@return string? code
function M.encode_blocks(codec, weights, cols, options) end

---@param codec string such as "b1" or "tq1_0"; core.quant.codecs lists them
---@param source core.bytes bytes
---@param count integer
---@param options? table {dtype = "f32", into = buffer to fill, threads = 1}
---@return core.buffer.buffer? # buffer of `count` values | nil, message, code. A dtype may stand for the options.
---@return string? message
---@return string? code
function M.decode_blocks(codec, source, count, options) end

---@param codec string such as "b1" or "tq1_0"; core.quant.codecs lists them
---@param weights core.bytes bytes: of one row
---@param x core.buffer.buffer f32 buffer [cols]
---@param options? table {activations = "f32"|"int8", group = 0}
---@return number? # number | nil, message, code.
---@return string? message
---@return string? code
function M.dot(codec, weights, x, options) end

---@param codec string such as "b1" or "tq1_0"; core.quant.codecs lists them
---@param weights any blocks, or {codes, scales} as encode gives
---@param rows integer rows of the matrix
---@param cols integer columns of the matrix
---@param x core.buffer.buffer f32 buffer [vectors, cols]
---@param options? table {activations = "f32"|"int8", group = 0, threads = 1}
---@return core.buffer.buffer? # f32 buffer [vectors, rows] | nil, message, code. int8 rounds each vector to multiples of its largest magnitude / 127 and then multiplies exactly.
---@return string? message
---@return string? code
function M.matmul(codec, weights, rows, cols, x, options) end

return M
