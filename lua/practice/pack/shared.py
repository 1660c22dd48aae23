"""What the scripts of this pack share: where its files lie, and the bittern that scores."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

PACK = pathlib.Path(__file__).resolve().parent
SLUG = PACK.name.replace("_", "-")


def find_bittern():
    """The practice coordinator's own, beside the repository that this is a clone of."""
    told = subprocess.run(["git", "config", "--get", "remote.origin.url"], cwd=PACK,
                          stdout=subprocess.PIPE, text=True, check=False)
    own = os.path.join(os.path.dirname(told.stdout.strip()), "bittern")
    found = own if os.access(own, os.X_OK) else shutil.which("bittern")
    return found or sys.exit("bittern is neither at the practice coordinator's nor in PATH; "
                             "a sandbox sees only one that is installed")


def ask(*arguments):
    """What score.lua answers; when it fails, the end of this script, too."""
    command = [find_bittern(), "run", PACK / "score.lua", SLUG, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(1)
    return json.loads(done.stdout)


def write(name, value):
    """A JSON file of the pack, its keys sorted."""
    (PACK / name).write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")
