"""The sandbox: bubblewrap around the warm process that forks for each submission.

What is visible inside, all of it read-only: the Python installation, the environment's packages, shared libraries,
fonts, and the `vae_lab` package. There is no network, no home, no `/etc` beyond what the loader needs, no shell. Each
submission has in addition its own PID, mount, IPC and network namespaces, an empty `/tmp`, no capability and a system
call filter (see `zygote`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from vae_lab.grading.sandbox.places import PACKAGE, libraries, places, search_path

UNSAFE_FLAG = "graded without the sandbox"
INSIDE = "/course"


class SandboxError(RuntimeError):
    """The sandbox could not be started or has ended."""


def sandbox_problem() -> str | None:
    """Why this machine cannot sandbox submissions, in one line with the remedy; None if it can."""
    return _probe()


@lru_cache(maxsize=1)
def _probe() -> str | None:
    if not sys.platform.startswith("linux"):
        return f"Sandboxing needs Linux, and this is {sys.platform}; grade in a Linux machine, container or WSL 2."
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed; install it with `apt-get install bubblewrap`."
    if hidden := [place for place in places() if f"{os.path.realpath(place)}/".startswith("/tmp/")]:
        return (
            f"this Python lives in {hidden[0]}, and submissions see an empty /tmp; "
            "make the environment in a folder outside /tmp."
        )
    probe = [*bubblewrap(()), sys.executable, "-I", "-S", "-c", "import os; os.listdir('/proc')"]
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=60, env=environment(INSIDE), check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot be run here ({type(error).__name__}); check that `bwrap --version` works."
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[:200]
        return (
            f"bubblewrap cannot set up a sandbox here ({said}); allow unprivileged user namespaces "
            "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), "
            "or run the container with --privileged."
        )
    return None


def bubblewrap(fds: tuple[int, ...]) -> list[str]:
    """The command line up to the program: bubblewrap with everything but the program and its arguments."""
    command = [shutil.which("bwrap") or "bwrap"]
    if (
        os.geteuid() == 0
    ):  # real rights until the fork: submissions become a user of their own, which a user namespace could not give them
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-drop", "ALL"]
        command += ["--cap-add", "CAP_SETFCAP"]  # to give each submission a user namespace of its own (`namespaces`)
    command += ["--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP", "--cap-add", "CAP_KILL"]
    command += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try"]
    command += ["--die-with-parent", "--new-session", "--hostname", "sandbox"]
    seen = places()
    parents = {str(parent) for place in [*seen, f"{INSIDE}/vae_lab"] for parent in Path(place).parents} - {"/"}
    for parent in sorted(parents):  # bubblewrap would make them for its own user alone
        if parent not in seen and not any(parent.startswith(f"{place}/") for place in seen):
            command += ["--perms", "0755", "--dir", parent]
    for place in seen:
        if os.path.islink(place) and place.startswith("/usr/"):
            command += ["--symlink", os.readlink(place), place]
        else:
            command += ["--ro-bind", place, place]
    for name in ("lib", "lib32", "lib64"):
        if os.path.islink(f"/{name}"):
            command += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            command += ["--ro-bind", f"/{name}", f"/{name}"]
    command += ["--ro-bind", str(PACKAGE), f"{INSIDE}/vae_lab"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp"]
    # What bubblewrap makes is memory that belongs to its user: nobody may leave anything there.
    command += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return command


def environment(package: str) -> dict[str, str]:
    """The only environment variables inside; Python finds there what it finds here, in the same order."""
    return {
        "PYTHONPATH": os.pathsep.join([package, *search_path()]),
        "LD_LIBRARY_PATH": os.pathsep.join(libraries()),
        "PATH": "/nonexistent",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "IPYTHONDIR": "/tmp/ipython",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "CUDA_VISIBLE_DEVICES": "",
        "TORCHDYNAMO_DISABLE": "1",  # torch.compile would need a compiler, and gives the same numbers without
    }
