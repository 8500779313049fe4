"""Arguments that several commands take: a parser that answers in one line, numbers, times, and shared options."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

from vae_lab.language import languages, of_this_machine


class Parser(argparse.ArgumentParser):
    """Argparse that answers bad arguments with one line instead of a page."""

    def error(self, message: str) -> NoReturn:
        """Print one line and end with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    """An argument that must be a finite number above zero."""

    def convert(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not 0 < number < 1e6:
            raise argparse.ArgumentTypeError(f"{text} is out of range; give a number above 0 and below 1000000")
        return number

    return convert


def moment(text: str) -> datetime:
    """A date and time in this machine's time zone, unless it names another."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it like '2026-11-30 23:59'") from None


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Commands:
    """The subcommands of `vae-lab`, as one audience's module adds them.

    Args:
        parser: the command line as a whole.
    """

    def __init__(self, parser: Parser) -> None:
        self._subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    def add(self, name: str, what: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        """Add one: its name, what it does in a line, and the function that does it and returns the exit status."""
        made = self._subparsers.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
        made.set_defaults(run=run)
        return made


def takes_workers(parser: argparse.ArgumentParser) -> None:
    """Give a command the option `--workers`."""
    parser.add_argument("--workers", type=positive(int), default=cores(), metavar="N", help="processes side by side")


def takes_language(parser: argparse.ArgumentParser) -> None:
    """Give a command the option `--language`; without it, the system's setting counts, and else it is English."""
    parser.add_argument(
        "--language", choices=languages(), default=of_this_machine(), help="of what is said (default: the system's)"
    )
