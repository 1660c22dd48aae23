-- The two tasks a fresh practice coordinator has: tiny twins of production's, scored on the model
-- that ships in examples/models/tiny-qwen3. Data only.
local json = require "bittern.json"

-- A record as production's /api/v1/tasks shows it, less what the database adds (id, state, dates).
-- `commit` is what bittern.practice.repositories makes of lua/practice/pack.
local function record(name, title, mode, commit)
  local slug = "tiny-" .. name .. "-frontier"
  local pack = "competition_packs/tiny_" .. name .. "_frontier"
  return {
    slug = slug, title = title,
    repository = "https://example.org/bittern-practice/autoresearch-task-" .. slug .. ".git",
    base_ref = commit,
    setup_command = "python3 " .. pack .. "/prepare.py",
    benchmark_command = "python3 " .. pack .. "/benchmark.py",
    result_path = pack .. "/last_run.json",
    allowed_patch_paths = json.array { pack .. "/train.py" },
    max_patch_bytes = 262144,
    metric_name = "heldout_ppl", metric_direction = "minimize", ranking_mode = "scalar",
    secondary_metric_name = json.null, secondary_metric_direction = json.null,
    competition_mode = mode, min_peer_evaluations = 2, time_budget_seconds = 1800,
  }
end

return {
  {
    record = record("binary", "Tiny Qwen3 mostly-binary compression frontier", "standard",
      "4269647313c17487812065091d6f7958c2184802"),
    native = "binary",
    -- Bits a parameter may use, as a fraction, and what the whole archive may use (gate 1).
    budget = { 21, 16 }, reference_parameters = 2428672,
    -- Below the installed tree.
    heldout = "examples/models/tiny-qwen3/heldout.txt", documents = "tokens", max_tokens = 512,
  },
  {
    record = record("ternary", "Tiny Qwen3 mostly-ternary compression frontier", "centerless",
      "fab60d08766e0fb14ccc00d0b076460815fde87a"),
    native = "ternary",
    budget = { 177, 80 }, reference_parameters = 2428672,
    heldout = "examples/models/tiny-qwen3/heldout.txt", documents = "tokens", max_tokens = 512,
  },
}
