"""Loads a Bittern artifact: a Hugging Face model directory with packed matrices.

AutoModelForCausalLM.from_pretrained(dir, trust_remote_code=True) finds BitternForCausalLM. Every
packed matrix becomes an ordinary dense parameter of the base model's class; no network is used.
A matrix W is stored as W.codes and W.scales (.2 to .4: further bases), W.offsets, W.colscales, and
W.rescue.* for rows at four bits; the plan in the file's metadata says which of these it has.
"""
import importlib
import json
import re

import numpy as np

try:
    import torch
except ImportError:
    torch = None  # decoding needs numpy only

BLOCK = 1 << 22  # values decoded at once

TYPES = {"BF16": "<i2", "F16": "<f2", "F32": "<f4", "F64": "<f8", "U8": "u1", "I8": "i1",
         "I16": "<i2", "I32": "<i4", "I64": "<i8", "BOOL": "?"}
MORE = ("", ".2", ".3", ".4")  # bases
PARTS = [".offsets", ".colscales", ".rescue.rows", ".rescue.codes", ".rescue.scales",
         *(part + n for part in (".codes", ".scales") for n in MORE)]
KEYS = {"codec", "group", "shape", "rescued", "bases", "offsets", "columns"}


def unpack_b1(codes, cols):
    """One bit a column, low bits first: 1 is +1, 0 is -1."""
    return np.unpackbits(codes, axis=1, count=cols, bitorder="little").astype(np.int8) * 2 - 1


def unpack_t2(codes, cols, bits=2, zero=1):
    """Two bits a column, low bits first, code - 1."""
    out = np.stack([codes >> at & (1 << bits) - 1 for at in range(0, 8, bits)], axis=2)
    return out.reshape(len(codes), -1)[:, :cols].astype(np.int8) - np.int8(zero)


def unpack_t5(codes, cols):
    """Five trits a byte in planes: trit n of byte k is column n * bytes + k."""
    shifted = codes[:, None, :] * np.array([[1], [3], [9], [27], [81]], np.uint8)  # modulo 256
    trits = (shifted.astype(np.uint16) * 3 >> 8).astype(np.int8) - 1
    return trits.reshape(len(codes), -1)[:, :cols]


UNPACK = {"b1": unpack_b1, "t2": unpack_t2, "t5": unpack_t5,
          "q4": lambda codes, cols: unpack_t2(codes, cols, 4, 8)}


def decode(codec, bases, cols, group=0, offsets=None, columns=None):
    """Float32 rows: the sum over bases of codes x scales, plus offsets, times column scales."""
    group, out = 128 if codec == "q4" else group or cols, None

    def wide(values):
        return np.repeat(values.astype(np.float32), group, axis=1)[:, :cols]

    for codes, scales in bases:
        product = UNPACK[codec](codes, cols).astype(np.float32) * wide(scales)
        out = product if out is None else out + product
    if offsets is not None:
        out = out + wide(offsets)
    return out if columns is None else out * columns.astype(np.float32)


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
        if set().union(*self.plan.values()) - KEYS:
            raise ValueError(f"{path}: its plan says things that this loader does not know")

    def array(self, name):
        """A tensor as it is stored; bfloat16, which numpy has not, as its bits."""
        entry = self.header[name]
        begin, end = (self.data + offset for offset in entry["data_offsets"])
        return self.bytes[begin:end].view(TYPES[entry["dtype"]]).reshape(entry["shape"])

    def names(self):
        """Of all parameters: packed ones under the name of their matrix."""
        parts = {name + part for name in self.plan for part in PARTS}
        return sorted(self.plan) + sorted(set(self.header) - parts)

    def blocks(self, name):
        """Yields (row numbers, float32 rows) until all rows of a packed matrix were given."""
        plan = self.plan[name]
        kept, cols = np.arange(plan["shape"][0]), plan["shape"][1]
        if plan["rescued"]:
            rescued = self.array(name + ".rescue.rows")
            kept = np.delete(kept, rescued)
            yield from self._decode(name + ".rescue", {"codec": "q4", "group": 0}, rescued, cols)
        yield from self._decode(name, plan, kept, cols)

    def _decode(self, prefix, plan, numbers, cols):
        bases = [(self.array(prefix + ".codes" + n), self.array(prefix + ".scales" + n))
                 for n in MORE[:plan.get("bases", 1)]]
        offsets = self.array(prefix + ".offsets") if plan.get("offsets") else None
        columns = self.array(prefix + ".colscales") if plan.get("columns") else None
        for first in range(0, len(numbers), max(1, BLOCK // cols)):
            part = slice(first, first + max(1, BLOCK // cols))
            yield numbers[part], decode(
                plan["codec"], [(codes[part], scales[part]) for codes, scales in bases], cols,
                plan["group"], None if offsets is None else offsets[part], columns)


def _tensor(weights, name, dtype):
    """A parameter as a torch tensor; floating point numbers become `dtype`."""
    if name in weights.plan:
        out = torch.empty(weights.plan[name]["shape"], dtype=dtype)
        for numbers, block in weights.blocks(name):
            out[torch.from_numpy(numbers.astype(np.int64))] = torch.from_numpy(block).to(dtype)
        return out
    out = torch.from_numpy(np.array(weights.array(name)))
    out = out.view(torch.bfloat16) if weights.header[name]["dtype"] == "BF16" else out
    return out.to(dtype) if out.is_floating_point() else out


def _empty(base, config):
    """base(config) with its parameters on the meta device and its buffers computed as usual."""
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


def _home(model, name):
    """Where a name belongs: a dictionary, the key there, and whether it is to be left alone."""
    for full in (name, f"{model.base_model_prefix}.{name}", name.replace("language_model.", "")):
        owner, _, leaf = full.rpartition(".")
        try:
            module = model.get_submodule(owner)
        except AttributeError:
            continue
        for held in (module._parameters, module._buffers):
            if held.get(leaf) is not None:
                return held, leaf, leaf in module._non_persistent_buffers_set
    ignored = getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ()
    return None, name, any(re.search(pattern, name) for pattern in ignored)


def _fill(model, weights, dtype):
    """Puts every tensor where its name says, one at a time."""
    for name in weights.names():
        held, leaf, left_alone = _home(model, name)
        if left_alone:  # the model computes it, or its class does not want it
            continue
        tensor = _tensor(weights, name, dtype)
        if held is None or held[leaf].shape != tensor.shape:
            raise ValueError(f"{type(model).__name__} has no parameter {name} {list(tensor.shape)}")
        is_parameter = isinstance(held[leaf], torch.nn.Parameter)
        held[leaf] = torch.nn.Parameter(tensor, requires_grad=False) if is_parameter else tensor
    model.tie_weights()
    missing = [name for name, param in model.named_parameters() if param.is_meta]
    if missing:
        raise ValueError(f"no weights for {', '.join(missing)}")


class BitternForCausalLM:
    """What auto_map names; from_pretrained gives a model of the base model's own class."""

    @classmethod
    def register_for_auto_class(cls, auto_class="AutoModelForCausalLM"):
        """transformers calls it for every class that it loads this way."""

    @classmethod
    def from_pretrained(cls, path, *args, config, dtype=None, torch_dtype=None, device_map=None,
                        **ignored):
        import transformers
        base = getattr(transformers, config.architectures[0])
        if getattr(base, "config_class", None) is type(getattr(config, "text_config", None)):
            config = config.text_config  # the class of the text part of a larger model
        own = getattr(config, "dtype", None) or getattr(config, "torch_dtype", None)
        named = (dtype, torch_dtype, own, torch.float32)
        dtype = next(one for one in named if one is not None and one != "auto")
        dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype
        model = _empty(base, config)
        _fill(model, Weights(f"{path}/model.safetensors"), dtype)
        if isinstance(device_map, dict) or device_map in ("auto", "balanced", "sequential"):
            accelerate = importlib.import_module("accelerate")  # `import` would make it required
            whole = list(getattr(model, "_no_split_modules", None) or ())
            spread = accelerate.infer_auto_device_map(model, no_split_module_classes=whole)
            device_map = device_map if isinstance(device_map, dict) else spread
            return accelerate.dispatch_model(model.eval(), device_map)
        return model.eval() if device_map is None else model.eval().to(device_map)
