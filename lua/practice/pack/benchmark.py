"""Scores the artifact of a submission and writes last_run.json."""

import os
import pathlib
import sys

sys.dont_write_bytecode = True

import shared

METRIC = "heldout_ppl"
# What last_run.json has at its top, too.
WHOLE = ("parameter_count", "compressed_bits", "compressed_size_bytes")
PRECISE = ("heldout_ppl", "heldout_cross_entropy_nats")


def artifact():
    """The file that the validator, or bittern bench, put into the checkout."""
    named = os.environ.get("AUTORESEARCH_SUBMISSION_ARTIFACT_PATH")
    if not named:
        sys.exit("AUTORESEARCH_SUBMISSION_ARTIFACT_PATH is required for direct model evaluation")
    path = pathlib.Path(named).expanduser()
    return path if path.is_file() else sys.exit(f"submission artifact not found: {named}")


def report(limits, metrics):
    """last_run.json, in the shape of production's."""
    return {
        "pack_name": shared.PACK.name,
        "model_id": "tiny-qwen3",
        "reference_model_id": "tiny-qwen3",
        "metric_name": METRIC,
        "metric_value": metrics[METRIC],
        "secondary_metric_name": None,
        "secondary_metric_value": None,
        "metrics": metrics,
        "artifact_bits_per_parameter": metrics["artifact_bits_per_parameter"],
        **{name: int(metrics[name]) for name in WHOLE},
        **limits,
    }


def main():
    found = shared.ask(artifact())
    if "rejection" in found:
        sys.exit(found["rejection"])
    metrics = found["metrics"]
    shared.write("last_run.json", report(found["limits"], metrics))
    for name in PRECISE:
        print(f"{name}={metrics[name]:.6f}")
    for name in ("parameter_count", "compressed_size_bytes"):
        print(f"{name}={int(metrics[name])}")
    print(f"artifact_bits_per_parameter={metrics['artifact_bits_per_parameter']:.6f}")


if __name__ == "__main__":
    main()
