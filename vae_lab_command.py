"""Where the `vae-lab` command starts.

It stands beside the package because `vae-lab doctor` has to answer where the package cannot be imported: that torch is
missing or broken is what a doctor is called for.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from pathlib import Path


def main() -> int:
    """Run the command, or say in one line why it cannot start."""
    try:
        from vae_lab.cli import main as command

        return command()
    except (ImportError, OSError) as error:  # OSError: a library that torch is linked with
        spec = importlib.util.find_spec("vae_lab")
        if sys.argv[1:2] != ["doctor"] or spec is None or spec.origin is None:
            print(f"vae-lab: cannot start ({error}); `vae-lab doctor` says what is missing", file=sys.stderr)
            return 2
        return (
            0
            if runpy.run_path(str(Path(spec.origin).with_name("doctor.py")))["doctor"](everyone="--all" in sys.argv)
            else 1
        )
