-- bittern decode PATH --tensor T --out F: a tensor's numbers as a plain file of floats.
local function write(ctx, model, item)
  local content = require "bittern.inspect.content"
  local args = ctx.args
  local out <close>, message, code = require("core.fs").create(args.out)
  if not out then return nil, message, code end
  local progress = ctx.report.progress { label = "decode", total = item.count, unit = "values" }
  local ok, why, id = content.each_as(model, item, args.dtype, nil, function(bytes, _, first)
    progress:update(first)
    return out:write(bytes)
  end)
  progress:finish()
  if not ok then return nil, why, id end
  local size = out:tell()
  local done, reason, kind = out:commit()
  if not done then return nil, reason, kind end
  return size
end

return {
  api = 1,
  about = "write a tensor's numbers to a file, whatever its codec",
  group = "model",
  args = function(parser)
    parser:argument("path", "a model directory, an archive, a GGUF or safetensors file")
    parser:option("--tensor", "the tensor"):argname "TENSOR":count(1)
    parser:option("--out", "file to write: little-endian, rows one after the other"):argname "F"
      :count(1)
    parser:option("--dtype", "f32, f16 or bf16"):choices { "f32", "f16", "bf16" }:default "f32"
  end,
  run = function(ctx)
    local content = require "bittern.inspect.content"
    local args, report = ctx.args, ctx.report
    local model <close>, message, code = require("bittern.model").open(args.path)
    if not model then return nil, message, code end
    local held, why, id = content.of(model)
    if not held then return nil, why, id end
    local item, reason, kind = content.find(held, model, args.tensor)
    if not item then return nil, reason, kind end
    local size, fault, cause = write(ctx, model, item)
    if not size then return nil, fault, cause end
    if ctx.json then
      report.data { out = args.out, tensor = item.name, codec = item.codec, dtype = args.dtype,
        values = item.count, bytes = size,
        shape = require("bittern.json").array(table.move(item.shape, 1, #item.shape, 1, {})) }
    else
      report.say(("%s: %s values of %s, from %s"):format(args.out, report.thousands(item.count),
        args.dtype, item.codec))
    end
    return true
  end,
}
