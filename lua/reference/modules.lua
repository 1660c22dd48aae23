-- The Lua modules that scripts may use, by what they are for. Others may change at any time.
return {
  { title = "Scripts and the command line", modules = {
    "bittern.script", "bittern.testing", "bittern.practice.rehearsal", "bittern.session",
    "bittern.report", "bittern.check", "bittern.errors", "bittern.paths", "bittern.template",
    "bittern.outline", "bittern.sandbox",
  } },
  { title = "Texts and bytes", modules = {
    "bittern.canonical", "bittern.json", "bittern.hex", "bittern.base64", "bittern.fnmatch",
  } },
  { title = "The network", modules = {
    "bittern.http", "bittern.retry", "bittern.download", "bittern.huggingface",
    "bittern.publishing",
  } },
  { title = "Tasks, rules and submissions", modules = {
    "bittern.coordinator", "bittern.coordinator.tasks", "bittern.coordinator.mining",
    "bittern.coordinator.service", "bittern.coordinator.peers", "bittern.coordinator.validating",
    "bittern.task", "bittern.onboard", "bittern.rules", "bittern.rules.common",
    "bittern.rules.rank", "bittern.gate", "bittern.claim", "bittern.proposal", "bittern.submit",
    "bittern.track", "bittern.sidecar", "bittern.rewards",
    "bittern.wallet",
  } },
  { title = "Workflows and their record", modules = {
    "bittern.work", "bittern.steps", "bittern.workflow", "bittern.preview", "bittern.ledger",
    "bittern.runs", "bittern.patch", "bittern.workspace", "bittern.bench",
  } },
  { title = "Models and artifacts", modules = {
    "bittern.model", "bittern.model.safetensors", "bittern.model.gguf", "bittern.model.zip",
    "bittern.model.huggingface", "bittern.model.imatrix", "bittern.compress.engine",
    "bittern.compress.budget", "bittern.compress.plan", "bittern.convert", "bittern.artifact.pack",
    "bittern.artifact.packed", "bittern.artifact.verify", "bittern.artifact.export",
  } },
  { title = "Scores", modules = {
    "bittern.eval.load", "bittern.eval.score", "bittern.eval.compare", "bittern.eval.frontier",
    "bittern.tokenizer",
  } },
}
