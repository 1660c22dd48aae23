-- Every error id: the exit code it gives and what the user can do next.
-- design.md section 4 lists the exit codes; an id that is not here exits with 1.
local M = {}

local ids = {
  -- usage and configuration
  usage = { 2, "see `bittern --help`, or `bittern COMMAND --help`" },
  config = { 3, "correct the option, the environment variable or the file that is named" },
  is_directory = { 2, "name a file, not a folder" },
  not_installed = { 3, "install the package that is named, then run the same command again" },
  address_in_use = { 3, "name another port, or 0 for one that is free" },
  exists = { 2, "name another file; what is there is not replaced" },
  -- keys
  key = { 4, "check the wallet options; `bittern wallet show` tells what is found" },
  key_address = { 4, "address and secret disagree: restore the hotkey from its mnemonic" },
  key_encrypted = { 4, "answer at a terminal, or name --password-file FILE or --password-fd N" },
  key_password = { 4, "give the password that the file was encrypted with" },
  key_public_only = { 4, "name the hotkey file that holds the secret, not its public half" },
  key_missing = { 4, "name one (--hotkey-file, --wallet, --hotkey), or `bittern wallet new FILE`" },
  key_unreadable = { 4, "check the path and the permissions of the hotkey file" },
  unauthorized = { 4, "check that the hotkey is registered and this machine's clock is right" },
  forbidden = { 4, "this hotkey may not do that: use the hotkey that it belongs to, do not retry" },
  stake = { 4, "fund or bond this same hotkey; do not rotate keys and do not retry" },
  -- the network
  network = { 6, "check the connection and the address, then run the same command again" },
  timeout = { 6, "run the same command again; it continues where it stopped" },
  unreachable = { 6, "nothing was sent: check the address and the connection, then run it again" },
  insecure = { 3, "use an https URL; plain http only reaches this machine" },
  offline = { 6, "run it without --offline" },
  busy = { 5, "the server asks for a pause; run the same command again later" },
  proxy = { 6, "the proxy refuses: check HTTPS_PROXY, its user and password, and NO_PROXY" },
  tls = { 6, "check the address and this machine's certificates and clock" },
  redirect = { 12, "publish at a URL that answers 200 itself; validators follow no redirect" },
  http_status = { 6, "check the URL; run the same command again when the server recovers" },
  access = { 4, "check the token (HF_TOKEN) or the store's keys, and that they may do this" },
  changed = { 6, "the file changes while it is read; run the same command again later" },
  unknown_size = { 6, "the server does not say how large the file is; name another source" },
  not_partial = { 6, "the server sends no parts of files; name another source" },
  encoded = { 12, "use a URL that gives the file's own bytes, without a Content-Encoding" },
  server_error = { 5, "the server failed; run the same command again later" },
  invalid_json = { 6, "the answer or file is not JSON; check the address or the file" },
  invalid_response = { 6, "an unexpected answer; check the coordinator's address" },
  too_large = { 6, "larger than it may be; check the address or the file" },
  -- tasks and submissions
  not_live = { 7, "pick a live task from `bittern tasks`" },
  not_found = { 7, "check the name or the path" },
  no_score = { 7, "`bittern eval` and `bittern sweep` note theirs in the ledger" },
  no_tests = { 7, "`bittern new KIND NAME` writes a script and its tests; or name a file" },
  ambiguous = { 7, "name the task by its id" },
  pending = { 8, "still pending: `bittern track ID` continues to watch" },
  stop = { 9, "fix what the gate names, then run the same command again" },
  sidecar = { 9, "correct submission.json at the place that is named; nothing was sent" },
  other_mode = { 9, "`bittern tasks` shows the mode of each task" },
  bench_rejected = { 9, "correct what the notes and the log name; nothing was sent" },
  bench_error = { 1, "read the log that is named; a submission like this would end in error" },
  patch = { 9, "correct what is named; `bittern patch SLUG --workspace DIR` explains it" },
  patch_empty = { 9, "change a file that allowed_patch_paths names, or submit an artifact" },
  unpublished_commit = { 9, "undo the local commits as the message says; changes need no commit" },
  no_checkout = { 7, "`bittern workspace SLUG DIR` makes a checkout; name it with --workspace" },
  git = { 1, "read git's message above; `bittern workspace SLUG DIR` makes a fresh checkout" },
  over_budget = { 9, "compress further: a smaller base codec or fewer rescued rows" },
  invalid_artifact = { 9, "pack it again with `bittern pack`" },
  archive_format = { 9, "validators take a zip or a tar (plain, gz, bz2, xz): use `bittern pack`" },
  archive_method = { 9, "store its entries, or deflate them; `bittern pack` stores" },
  archive_path = { 9, "rename the entry that is named and pack it again" },
  archive_duplicate = { 9, "keep one of the entries that are named and pack it again" },
  archive_link = { 9, "put the file itself where the link or device is" },
  archive_encrypted = { 9, "pack it without a password" },
  archive_mismatch = { 9, "two readers would see two archives: pack it again" },
  archive_overlap = { 9, "two entries claim the same bytes: pack it again" },
  archive_trailing = { 9, "bytes belong to no entry: pack it again" },
  archive_bomb = { 9, "unpacked it is far larger than a model of its size: do not trust it" },
  archive_truncated = { 9, "the end is missing: download it or pack it again" },
  archive_damaged = { 9, "download it or pack it again" },
  archive_config = { 9, "keep exactly one config.json, that of the model" },
  rejected = { 10, "read the reason above; nothing was lost, the artifact is still yours" },
  claim_used = { 10, "`bittern track` follows its submission; `bittern claim` takes a new claim" },
  claim_gone = { 5, "run the same command again; it takes a new claim" },
  conflict = { 10, "the coordinator has it already; run the same command again to adopt it" },
  unknown_outcome = { 15, "it may have arrived: run the same command again, it looks first" },
  -- this machine
  locked = { 11, "another bittern works on this; wait for it, or end it" },
  integrity = { 12, "these are not the promised bytes: download or publish them again" },
  disk_full = { 13, "free some space, then run the same command again" },
  constraint = { 1, "the record exists already, or names one that does not" },
  io = { 13, "check the disk, then run the same command again" },
  denied = { 13, "check who owns the path and its permissions" },
  closed_pipe = { 1 },
  -- models and scripts
  invalid_model = { 1, "check the model directory; download the file that is named again" },
  model_truncated = { 1, "the file is shorter than it says: download it again" },
  model_trailing = { 1, "bytes belong to no tensor: download it or write it again" },
  model_header = { 1, "what stands before the tensors cannot be read: download it again" },
  model_metadata = { 1, "the entry that is named breaks the format: write the file again" },
  model_tensor = { 1, "the tensor that is named breaks the format: write the file again" },
  model_dtype = { 1, "convert the tensor to a type that is known" },
  model_shape = { 1, "shape and bytes of the tensor disagree: write the file again" },
  model_overlap = { 1, "tensors must lie one after the other: write the file again" },
  model_limit = { 1, "no real model is like this: download it again, from who made it" },
  model_shards = { 1, "put all shards of the model into one folder, under their own names" },
  gguf_version = { 1, "convert the model again with a current llama.cpp" },
  gguf_endian = { 1, "download the little-endian file of this model" },
  gguf_alignment = { 1, "the file is broken: download it again, from who made it" },
  gguf_rotated = { 1, "take a file without rotation, or convert the base model yourself" },
  no_memory = { 1, "free some memory, use fewer threads or shorter documents" },
  unsupported = { 1, "use what the message says is supported" },
  out_of_range = { 1, "the file is shorter than it says; download it again" },
  script = { 14, "correct the script at the place that is named" },
  script_limit = { 14, "make the script do less, or in smaller pieces" },
  untrusted = { 14, "read the script, then trust these bytes of it: bittern scripts --trust FILE" },
  agent = { 1, "read agent.stderr.txt in the run's folder, then run the same command again" },
  interrupted = { 130, "run the same command again; it continues where it stopped" },
}

--- What the exit codes mean, in their order: array of {code, meaning}.
M.exits = {
  { 0, "done" }, { 1, "general failure" }, { 2, "usage" }, { 3, "configuration" },
  { 4, "key or signature" }, { 5, "temporary, retrying helps" }, { 6, "network or TLS" },
  { 7, "not found, or not live" }, { 8, "still pending" }, { 9, "the gate says STOP" },
  { 10, "rejected by the coordinator or the validators" }, { 11, "locked" },
  { 12, "integrity mismatch" }, { 13, "disk" }, { 14, "script error or limit" },
  { 15, "outcome unknown: reconcile" }, { 130, "interrupted" },
}

--- Exit code of an error id.
-- @param code string or nil
-- @return integer 1..255
function M.exit(code)
  return ids[code] and ids[code][1] or 1
end

--- What to do next, one line.
-- @param code string or nil
-- @return string, or nil when there is nothing useful to say
function M.next(code)
  return ids[code] and ids[code][2]
end

--- All ids, sorted, for documents and tests.
function M.list()
  local list = {}
  for id in pairs(ids) do list[#list + 1] = id end
  table.sort(list)
  return list
end

return M
