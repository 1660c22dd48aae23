"""Writes the limits of the task to baseline_manifest.json."""

import sys

sys.dont_write_bytecode = True

import shared

shared.write("baseline_manifest.json", {"pack_name": shared.PACK.name, **shared.ask()["limits"]})
print("baseline_manifest=baseline_manifest.json")
