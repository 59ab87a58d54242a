"""The browser of the tests: the machine's Chromium, or Debian's, unpacked into the checkout.

Of Debian's the headless shell: Chromium without windows, the same pages for two thirds of the work.

Nothing is installed into the machine and no root is needed: apt resolves, downloads and checks
the signatures in a folder of ours. Standard library only: the installation imports it.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from protonpay.stack.account import tethered
from protonpay.stack.failures import StackError

FOLDER = ".browser"
PACKAGE = "chromium-headless-shell"
_NAMES = (PACKAGE, "chromium", "chromium-browser", "google-chrome")


def installed() -> Path | None:
    """Return the machine's own Chromium, if it has one."""
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    return None


def program(root: Path) -> Path:
    """Return the Chromium that tests drive.

    Raises:
        StackError: there is none.
    """
    unpacked = root / FOLDER / "root" / "usr" / "lib" / "chromium" / PACKAGE
    if unpacked.exists():
        return unpacked
    if found := installed():
        return found
    raise StackError("There is no Chromium for the tests: `make install-dev`, or install it.")


def environment(root: Path) -> Mapping[str, str]:
    """Return what an unpacked Chromium needs: its libraries are not where the machine looks."""
    libraries = root / FOLDER / "root" / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
    if not libraries.is_dir():
        return {}
    return {"LD_LIBRARY_PATH": os.pathsep.join([str(libraries), str(libraries / "pulseaudio")])}


def unpack(root: Path) -> None:
    """Have a Chromium: does nothing on a machine with one.

    Raises:
        StackError: it failed; the message has what apt said.
    """
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    if installed():
        return
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise StackError("failed\n\nTests need Chromium: install your system's.")
    shutil.rmtree(folder / "root", ignore_errors=True)
    for name in ("lists", "cache/archives", "root"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _apt(folder, "update")
    planned = _apt(folder, "--simulate", "--no-install-recommends", "install", PACKAGE)
    names = [line.split()[1] for line in planned.splitlines() if line.startswith("Inst ")]
    _apt(folder, "download", *names)
    archives = sorted(folder.glob("*.deb"), key=lambda path: -path.stat().st_size)
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(
            lambda path: _run(folder, ["dpkg-deb", "-x", str(path), "root"]), archives
        ):
            pass
    for path in archives:
        path.unlink()
    shutil.rmtree(folder / "lists")
    shutil.rmtree(folder / "cache")


def _apt(folder: Path, *arguments: str) -> str:
    options = (
        f"Dir::State::Lists={folder}/lists",
        f"Dir::Cache={folder}/cache",
        "Debug::NoLocking=1",  # the machine's own lock needs root
        "Acquire::Languages=none",
        # As root apt would change to a user who may not write here.
        "APT::Sandbox::User=root",
    )
    quiet = [] if "--simulate" in arguments else ["-qq"]
    chosen = [part for option in options for part in ("-o", option)]
    return _run(folder, ["apt-get", *chosen, *quiet, *arguments])


def _run(folder: Path, command: list[str]) -> str:
    done = subprocess.run(
        tethered(command),
        check=False,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise StackError(f"failed\n\n{done.stdout.strip()}\n\n`{' '.join(command[:1])}` failed.")
    return done.stdout
