"""The `vae-lab` command: puts the commands of `vae_lab.commands` together and runs one.

Exit status: 0 when all is well, 1 when something needs a look, 2 for bad arguments, with one line on stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from vae_lab.commands import author, instructor, student
from vae_lab.commands.arguments import Commands, Parser
from vae_lab.grading.course import CourseError
from vae_lab.language import said, speak

# Packages that only grading needs: where one is missing, the extra is.
NEEDED_FOR_GRADING = {"nbgrader", "nbformat", "jsonschema", "sqlalchemy", "jinja2", "nh3", "safetensors"}


def parser() -> Parser:
    """All commands and their options."""
    top = Parser(prog="vae-lab", description="Labs about z = mu + sigma * eps: release, verify, grade, report, check.")
    commands = Commands(top)
    for audience in (student, instructor, author):
        audience.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = parser().parse_args(arguments)
    name = f"vae-lab {options.command}"
    if "language" in options:
        speak(options.language)
    try:
        return int(options.run(options))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in NEEDED_FOR_GRADING:
            raise
        print(f"{name}: {error.name} is missing; install it with: pip install 'vae-lab[grade]'", file=sys.stderr)
        return 2
    except CourseError as error:
        print(f"{name}: {said(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output, e.g. `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # a folder that cannot be written, a full disk
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: {said('stopped; the same command goes on where it was')}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
