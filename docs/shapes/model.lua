-- What the commands of the group `model` print with --json.
local shape = ...
local list, map, either = shape.list, shape.map, shape.either

local PLANNED <const> = {
  name = "string", shape = "shape", codec = "string", parameters = "integer",
  ["bytes?"] = "integer", ["group?"] = "integer: columns that share a scale; 0 for all of a row",
  ["bases?"] = "integer", ["offsets?"] = "boolean", ["columns?"] = "boolean",
  ["rescued?"] = "integer: rows in a wider type", ["error_before?"] = "number: squared",
  ["error_after?"] = "number: squared", ["norm?"] = "number: squared",
}

local SCORE <const> = {
  heldout_ppl = "number", heldout_cross_entropy_nats = "number", token_count = "integer",
  scored_docs = "integer", all_docs = "integer: without --limit", parameter_count = "integer",
  ["standard_error_nats?"] = "number", ["standard_error_ppl?"] = "number", mode = "string",
  tokenizer = "string",
  ["documents?"] = list { document = "integer", tokens = "integer", nats = "number" },
  ["reference?"] = {
    model = "string", heldout_ppl = "number", heldout_cross_entropy_nats = "number",
    lost_nats = "number", ["lost_error_nats?"] = "number", divergence_nats = "number",
    ["divergence_error_nats?"] = "number", top1_agreement = "number: share of the tokens",
    worst = list { document = "integer", position = "integer", token = "string", before = "string",
      nats = "number", reference_nats = "number", lost_nats = "number" },
  },
}

local TRIED <const> = {
  label = "string", recipe = "string", set = map "string", ["bytes?"] = "integer",
  ["parameters?"] = "integer", ["nats?"] = "number", ["ppl?"] = "number",
  ["frontier?"] = "boolean", ["error?"] = "string: why it was not possible", ["..."] = true,
}

local LEFT_OUT <const> = list { name = "string", why = "string",
  ["bytes?"] = "integer: that there was no memory for" }

return {
  inspect = {
    path = "string", kind = "string: directory, archive, gguf or safetensors",
    packed = "boolean", ["architecture?"] = "string", ["parameters?"] = "integer",
    bytes = "integer", ["bits_per_parameter?"] = "number|null", metadata = map "any",
    files = list { name = "string", bytes = "integer", ["data?"] = "integer",
      ["tensors?"] = "integer" },
    codecs = list { codec = "string", tensors = "integer", parameters = "integer",
      bytes = "integer", values = "integer", ["bits?"] = "number|null" },
    tensors = list {
      name = "string", shape = "shape", codec = "string", parameters = "integer",
      values = "integer", bytes = "integer", ["bits?"] = "number|null", ["bases?"] = "integer",
      ["columns?"] = "boolean", ["group?"] = "integer", ["offsets?"] = "boolean",
      ["rescued?"] = "integer",
    },
    problems = list { id = "string", message = "string", ["..."] = true },
    ["error?"] = "error: of the first problem",
  },
  stats = {
    path = "string", skipped = "integer: tensors that hold no numbers",
    tensors = list {
      name = "string", codec = "string", shape = "shape", rows = "integer", count = "integer",
      zeros = "integer", nans = "integer", infinities = "integer", ["mean?"] = "number",
      ["std?"] = "number", ["min?"] = "number", ["max?"] = "number", ["absmax?"] = "number",
      ["outliers?"] = "number: share beyond 4 std",
      ["row_norms?"] = { min = "number", max = "number", mean = "number", std = "number",
        spread = "number|null" },
      ["histogram?"] = { low = "number", high = "number", counts = list "integer" },
    },
  },
  decode = { out = "string", tensor = "string", codec = "string", dtype = "string",
    values = "integer", bytes = "integer", shape = "shape" },
  convert = {
    out = "string", format = "string", bytes = "integer", ["sha256?"] = "sha256",
    parameters = "integer", kept = "integer: matrices that did not take the codec",
    losses = list "string", ["dry_run?"] = "boolean",
    tensors = list { name = "string", from = "string", codec = "string", stored = "string",
      shape = "shape" },
  },
  compress = {
    recipe = "string", recipe_sha256 = "sha256", settings = map "any", parameters = "integer",
    bytes = "integer: of the archive that pack will make", ["budget?"] = "integer",
    ["error?"] = "number: relative squared error of the matrices", plan = list(PLANNED),
    ["out?"] = "string", ["size?"] = "integer", ["sha256?"] = "sha256",
    ["resumed?"] = "integer: tensors that were there", ["dry_run?"] = "boolean",
  },
  calibrate = {
    out = "string", bytes = "integer", tokens = "integer", documents = "integer",
    all_documents = "integer", tokenizer = "string", matrices = "integer", hessians = "integer",
    resumed = "integer: documents of an earlier run", left_out = LEFT_OUT,
    without_hessian = LEFT_OUT,
  },
  eval = either {
    SCORE,
    { base_nats = "number", scored_docs = "integer", token_count = "integer",
      tensors = list "layer_cost" },
  },
  sweep = { model = "string", budget = "string", ["points?"] = list(TRIED),
    steps = map "object: what the step of that name left for the next ones" },
}
