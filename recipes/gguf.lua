-- One GGUF file for llama.cpp: every matrix in blocks of one codec. Matrices whose rows are not
-- whole blocks go to q4_0 or stay as they are.
--
--   bittern compress MODEL --recipe gguf --set codec=tq2_0 --out model.gguf
--
-- `fit` of least_squares chooses scales of one- and two-bit blocks by squared error; reference
-- writes what llama.cpp's own quantizers write, bit for bit. A GGUF file is no artifact: the loader
-- and the gates want a packed one.
--
-- Perplexity on tiny-qwen3 (heldout.txt, dense 4.763), least_squares and reference: q1_0 7.447 and
-- 7.447, q2_0 5.513 and 8.769, tq1_0 and tq2_0 5.617 and 13.545; q4_0 4.780.
return {
  api = 1,
  about = "uniform GGUF blocks (q1_0, q2_0, tq1_0, tq2_0, q4_0, q8_0) for llama.cpp",
  args = {
    codec = { "tq2_0", "codec of the matrices: q1_0, q2_0, tq1_0, tq2_0, q4_0 or q8_0" },
    embed = { "q8_0", "codec of embeddings and head" },
    fit = { "least_squares", "how scales of 1 and 2 bits are fitted: least_squares or reference" },
    keep = { "norm", "names of tensors that are not quantized, comma-separated" },
  },
  tensor = function(ctx, t)
    local args = ctx.args
    if t.rank ~= 2 or ctx.match(t.name, args.keep) then return ctx.keep() end
    local codec = ctx.match(t.name, "embed,lm_head") and args.embed or args.codec
    local block = codec:find("^tq") and 256 or codec == "q1_0" and 128 or codec == "q2_0" and 64
      or 32
    if t.cols % block ~= 0 then codec = "q4_0" end
    if t.cols % 32 ~= 0 then return ctx.keep() end
    local fit = ctx.match(codec, "q1_0,q2_0") and args.fit or "reference"
    return ctx.block { codec = codec, fit = fit }
  end,
}
