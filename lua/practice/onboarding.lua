-- The onboarding page of a practice task: the guidance of production's pages, in Markdown.
local M = {}

-- ${name} is filled in from the task.
local page = [[
# ${title}

Practice twin of `${twin}`, run by your own machine. Nothing here is worth money; the rules are
the real ones.

| Field | Value |
| --- | --- |
| Slug | `${slug}` |
| Mode | `${mode}` |
| Metric | `heldout_ppl`, minimize |
| Repository | ${repository} |
| Base ref | `${base_ref}` |
| Benchmark | `${benchmark_command}` |
| Result path | `${result_path}` |
| Allowed recipe patch | `${patch}` |
| Time budget | 1800 seconds |

For this task, the artifact is the scoring object. `train.py` is optional recipe metadata: an empty
`patch` is allowed when the artifact fields are given.

## Submission requirements

- upload a compressed model artifact to a stable public HTTPS URL that answers 200 itself;
  redirects are not followed (practice also accepts plain http on loopback);
- include `artifact_uri`;
- include `artifact_sha256`, the SHA-256 of the exact downloadable bytes;
- include `artifact_size_bytes`, the byte size of the exact downloadable bytes;
- include `summary` (at most 8000 characters) and `claimed_metrics` with `heldout_ppl`;
${mode_lines}- include a small patch only if changing recipe metadata inside the allowed
  `train.py` path.

Do not submit model bytes, caches, `last_run.json`, bytecode, secrets or generated files in the
patch.

## Artifact

- one Hugging Face model directory in a .zip or tar archive, with exactly one `config.json`;
- the archive may carry its own modelling code; it gets no network;
- budget: at most ${numerator}/${denominator} (${bits}) bits per parameter; the whole archive
  counts: 8 x `artifact_size_bytes` must not exceed ceil(parameters x ${numerator}/${denominator});
- the reference model has ${parameters} parameters: at most ${bytes} bytes;
- mostly ${native} weights; rescue values at q4 with one fp16 scale per 128, at most 10 % of them.

## Scoring

Validators download the artifact, check size and SHA-256, load it and score held-out text: byte
tokenizer (token = byte + 1), documents cut at 512 tokens, `heldout_ppl` = exp(mean negative
log-likelihood). Observed metrics decide, claimed ones do not. A submission becomes best when it
lowers ln(heldout_ppl) by more than 0.02 nats, or when it is a smaller model inside the incumbent's
band of 0.02 nats.
]]

local centerless = [[
- include `proposed_idea`: every submission carries a non-empty idea for others to build on;
- include `implemented_submission_id` when another miner already has an idea-bearing submission on
  this task: the id of the prior submission whose idea you build on, not your own; omit it when
  there is none yet;
]]

local standard = [[
- do not include `proposed_idea` or `implemented_submission_id`: this task is not centerless;
]]

local own_page = [[
# ${title}

${brief}

| Field | Value |
| --- | --- |
| Slug | `${slug}` |
| Mode | `${competition_mode}` |
| Metric | `${metric_name}`, ${metric_direction} |
| Repository | ${repository} |
| Base ref | `${base_ref}` |
| Benchmark | `${benchmark_command}` |
| Time budget | ${time_budget_seconds} seconds |
]]

--- The page of a task whose author wrote none.
-- @param record of the task
-- @return Markdown
function M.plain(record)
  return (own_page:gsub("%${([%w_]+)}", function(name) return tostring(record[name] or "") end))
end

--- Writes the page of a task that ships.
-- @param task an entry of bittern.practice.tasks
-- @param record of it, as miners see it
-- @return Markdown
function M.page(task, record)
  local numerator, denominator = task.budget[1], task.budget[2]
  local bits = (task.reference_parameters * numerator + denominator - 1) // denominator
  local values = {
    twin = record.slug:gsub("^tiny", "qwen3-27b"), mode = record.competition_mode,
    patch = record.allowed_patch_paths[1], native = task.native,
    numerator = numerator, denominator = denominator, bits = numerator / denominator,
    parameters = task.reference_parameters, bytes = bits // 8,
    mode_lines = record.competition_mode == "centerless" and centerless or standard,
  }
  return (page:gsub("%${([%w_]+)}", function(name)
    return tostring(values[name] or record[name])
  end))
end

return M
