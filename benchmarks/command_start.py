"""What a command costs before it does anything: processor time of `vae-lab` commands that need no torch.

Run it with `python -m benchmarks.command_start`. Each row is the median of five runs, in seconds of processor time and
as a ratio to `python -c "import torch"` in the same round.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.grading import tiny_course
from tests.grading.lms_zip import make_zip, notebook

ROUNDS = 5
COMMANDS = ("--help", "collect three.zip halves", "release", "doctor")


def processor_seconds(command: list[str], folder: Path) -> float:
    """User and system time of a program and all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    vae_lab = [sys.executable, "-m", "vae_lab.cli"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tiny_course.make(folder)
        make_zip(folder / "three.zip", {f"s{n}_{n}_{n}_halves.ipynb": notebook("halves") for n in (11, 12, 13)})
        rows: dict[str, list[float]] = {command: [] for command in ("import torch", *COMMANDS)}
        for _ in range(ROUNDS):
            rows["import torch"].append(processor_seconds([sys.executable, "-c", "import torch"], folder))
            for command in COMMANDS:
                rows[command].append(processor_seconds([*vae_lab, *command.split()], folder))
    torch = statistics.median(rows["import torch"])
    for command, seconds in rows.items():
        median = statistics.median(seconds)
        print(f"{command:28} {median:5.2f} s   {median / torch:5.2f} of `import torch`")


if __name__ == "__main__":
    main()
