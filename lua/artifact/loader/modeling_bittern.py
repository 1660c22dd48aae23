"""Loads a Bittern artifact: a Hugging Face model directory with packed matrices.

AutoModelForCausalLM.from_pretrained(dir, trust_remote_code=True) finds BitternForCausalLM. Every
packed matrix becomes an ordinary dense parameter of the base model's class; no network is used.

A packed matrix W is stored as W.codes, W.scales and, when some of its rows are rescued at four
bits, W.rescue.rows, W.rescue.codes and W.rescue.scales. The plan, JSON in the metadata of
model.safetensors, gives codec, group, shape and number of rescued rows of each W.
"""
import json
import os

import numpy as np

WEIGHTS = "model.safetensors"
Q4_GROUP = 128
BLOCK = 1 << 24  # values decoded at once

NUMPY_TYPES = {"U8": np.uint8, "F16": np.float16, "I32": np.int32}
TORCH_TYPES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32", "F64": "float64",
               "U8": "uint8", "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64",
               "BOOL": "bool"}
PARTS = (".codes", ".scales", ".rescue.rows", ".rescue.codes", ".rescue.scales")


def unpack_b1(codes, cols):
    """One bit a column, low bits first: 1 is +1, 0 is -1."""
    return np.unpackbits(codes, axis=1, count=cols, bitorder="little").astype(np.int8) * 2 - 1


def unpack_t2(codes, cols):
    """Two bits a column, low bits first, code - 1."""
    out = np.stack([codes >> shift & 3 for shift in (0, 2, 4, 6)], axis=2)
    return out.reshape(len(codes), -1)[:, :cols].astype(np.int8) - 1


def unpack_t5(codes, cols):
    """Five trits a byte in planes: trit n of byte k is column n * bytes + k."""
    planes, byte = [], codes.copy()
    for _ in range(5):
        planes.append((byte.astype(np.uint16) * 3 >> 8).astype(np.int8) - 1)
        byte = byte * np.uint8(3)  # modulo 256: the digit that was read falls out
    return np.concatenate(planes, axis=1)[:, :cols]


def unpack_q4(codes, cols):
    """Four bits a column, low nibble first, code + 8."""
    out = np.stack([codes & 15, codes >> 4], axis=2)
    return out.reshape(len(codes), -1)[:, :cols].astype(np.int8) - 8


UNPACK = {"b1": unpack_b1, "t2": unpack_t2, "t5": unpack_t5, "q4": unpack_q4}


def decode(codec, codes, scales, cols, group=0):
    """Rows of codes (uint8) and scales (float16) as float32 [rows, cols]."""
    group = Q4_GROUP if codec == "q4" else group or cols
    wide = np.repeat(scales.astype(np.float32), group, axis=1)[:, :cols]
    return UNPACK[codec](codes, cols).astype(np.float32) * wide


class Weights:
    """The tensors of one model.safetensors, mapped and not read until asked for."""

    def __init__(self, path):
        self.bytes = np.memmap(path, np.uint8, "r")
        length = int.from_bytes(self.bytes[:8].tobytes(), "little")
        self.header = json.loads(self.bytes[8:8 + length].tobytes())
        self.data = 8 + length
        metadata = self.header.pop("__metadata__", {})
        if metadata.get("format") != "bittern" or metadata.get("version") != "1":
            raise ValueError(f"{path}: not a Bittern artifact of version 1")
        self.plan = json.loads(metadata["plan"])

    def raw(self, name):
        """The bytes of a tensor."""
        begin, end = self.header[name]["data_offsets"]
        return self.bytes[self.data + begin:self.data + end]

    def array(self, name):
        """A tensor of integers or scales."""
        entry = self.header[name]
        return self.raw(name).view(NUMPY_TYPES[entry["dtype"]]).reshape(entry["shape"])

    def names(self):
        """Of all parameters: packed ones under the name of their matrix."""
        parts = {name + part for name in self.plan for part in PARTS}
        return sorted(self.plan) + sorted(set(self.header) - parts)

    def blocks(self, name):
        """Yields (row numbers, float32 rows) until all rows of a packed matrix were given."""
        plan = self.plan[name]
        rows, cols = plan["shape"]
        kept = np.arange(rows)
        if plan["rescued"]:
            rescued = self.array(name + ".rescue.rows")
            kept = np.delete(kept, rescued)
            yield from self._decode(name + ".rescue", "q4", 0, rescued, cols)
        yield from self._decode(name, plan["codec"], plan["group"], kept, cols)

    def _decode(self, prefix, codec, group, numbers, cols):
        codes, scales = self.array(prefix + ".codes"), self.array(prefix + ".scales")
        step = max(1, BLOCK // cols)
        for first in range(0, len(numbers), step):
            part = slice(first, first + step)
            yield numbers[part], decode(codec, codes[part], scales[part], cols, group)

    def matrix(self, name):
        """A packed matrix as float32 [rows, columns]."""
        out = np.empty(self.plan[name]["shape"], np.float32)
        for numbers, block in self.blocks(name):
            out[numbers] = block
        return out


def _tensor(weights, name, dtype):
    """A parameter as a torch tensor of `dtype` (None: as it is stored, float32 when packed)."""
    import torch
    if name in weights.plan:
        out = torch.empty(weights.plan[name]["shape"], dtype=dtype or torch.float32)
        for numbers, block in weights.blocks(name):
            out[torch.from_numpy(numbers.astype(np.int64))] = torch.from_numpy(block).to(out.dtype)
        return out
    entry = weights.header[name]
    stored = getattr(torch, TORCH_TYPES[entry["dtype"]])
    out = torch.from_numpy(np.array(weights.raw(name))).view(stored).reshape(entry["shape"])
    return out.to(dtype) if dtype and out.is_floating_point() else out


def _empty(base, config):
    """base(config) with its parameters on the meta device and its buffers computed as usual."""
    import torch
    register = torch.nn.Module.register_parameter

    def register_meta(module, name, param):
        if param is not None and not param.is_meta:
            param = torch.nn.Parameter(param.detach().to("meta"), requires_grad=False)
        register(module, name, param)

    torch.nn.Module.register_parameter = register_meta
    try:
        return base(config)
    finally:
        torch.nn.Module.register_parameter = register


def _assign(model, name, tensor):
    """Puts a tensor where its name says; False when the model has no such place."""
    import torch
    for full in (name, f"{model.base_model_prefix}.{name}"):
        owner, _, leaf = full.rpartition(".")
        try:
            module = model.get_submodule(owner)
        except AttributeError:
            continue
        if module._parameters.get(leaf) is not None:
            module._parameters[leaf] = torch.nn.Parameter(tensor, requires_grad=False)
            return True
        if leaf in module._buffers:
            module._buffers[leaf] = tensor
            return True
    return False


def _place(model, device_map):
    """Moves the model to a device, or over several where accelerate is installed."""
    if isinstance(device_map, dict) or device_map in ("auto", "balanced", "sequential"):
        from accelerate import dispatch_model, infer_auto_device_map
        spread = device_map if isinstance(device_map, dict) else infer_auto_device_map(model)
        return dispatch_model(model, spread)
    return model.to(device_map) if device_map is not None else model


class BitternForCausalLM:
    """What auto_map names; from_pretrained gives a model of the base model's own class."""

    @classmethod
    def register_for_auto_class(cls, auto_class="AutoModelForCausalLM"):
        """transformers calls it for every class that it loads this way; nothing to do."""

    @classmethod
    def from_pretrained(cls, path, *args, config=None, dtype=None, torch_dtype=None,
                        device_map=None, **ignored):
        import torch
        import transformers
        config = config or transformers.AutoConfig.from_pretrained(path)
        dtype = dtype or torch_dtype
        if isinstance(dtype, str):
            dtype = getattr(torch, dtype, None)  # None: "auto"
        model = _empty(getattr(transformers, config.architectures[0]), config)
        weights = Weights(os.path.join(path, WEIGHTS))
        for name in weights.names():
            if not _assign(model, name, _tensor(weights, name, dtype)):
                raise ValueError(f"{path}: {config.architectures[0]} has no parameter {name}")
        model.tie_weights()
        missing = [name for name, p in model.named_parameters() if p.is_meta]
        if missing:
            raise ValueError(f"{path}: no weights for {', '.join(missing)}")
        return _place(model.eval(), device_map)
