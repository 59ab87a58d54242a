"""Whom the embedded servers run as: Postgres refuses to run as root.

As an ordinary user: that user. As root: the same files seen as an ordinary user's, in
a user namespace of their own, where the kernel allows it (most containers do not); else
the user ``postgres`` or ``nobody``, to whom the files are given.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from protonpay.stack.failures import StackError

TETHER = Path(__file__).with_name("tether.py")
ELSEWHERE = Path("/var/lib/protonpay")
"""Where the files of a user live who cannot reach ours, as below root's own home."""

_UNPRIVILEGED = ("postgres", "nobody")
_PROBE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Account:
    """A user, as the tether says it, and the owner of what it writes."""

    who: str
    uid: int
    gid: int

    def may(self, test: str, path: Path) -> bool:
        """Tell whether this user passes ``test`` (``-x``, ``-w``) on a path."""
        if self.who == "self":
            return os.access(path, os.W_OK if test == "-w" else os.X_OK)
        script = f'test {test} "$0"'
        found = subprocess.run(
            tethered(["/bin/sh", "-c", script, str(path)], self.who),
            check=False,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            cwd="/",
        )
        return found.returncode == 0

    def program(self, tree: Path, executable: str) -> Path:
        """Return a folder of programs this user can run: the same, or a copy within reach."""
        if self.may("-x", tree / executable):
            return tree
        # The inode and time of the program tell one installation from the next.
        identity = (tree / executable).stat()
        copy = ELSEWHERE / "programs" / f"{tree.name}-{identity.st_ino:x}-{identity.st_mtime_ns:x}"
        if not copy.exists():
            _open_folder(copy.parent)
            with tempfile.TemporaryDirectory(dir=copy.parent) as scratch:
                made = Path(shutil.copytree(tree, Path(scratch) / tree.name, symlinks=True))
                made.chmod(0o755)
                made.rename(copy)
        return copy

    def lodge(self, folder: Path, *, longest: int | None = None) -> Path:
        """Return a folder that is this user's alone: this one, or one it is a link to.

        Args:
            folder: where it should be.
            longest: of the path, in bytes (a socket's address has little room).

        Raises:
            StackError: the folder is there and is somebody else's.
        """
        if folder.is_symlink():
            home = folder.resolve()
            if home.is_dir() and (home.parent == ELSEWHERE or home.stat().st_uid == self.uid):
                return self._own(home)
            folder.unlink()  # a temporary folder that was cleaned up
        if self._fits(folder, longest):
            folder.mkdir(mode=0o700, exist_ok=True)
            return self._own(folder)
        return self._own(self._lodge_elsewhere(folder))

    def _fits(self, folder: Path, longest: int | None) -> bool:
        short = longest is None or len(os.fsencode(folder)) <= longest
        return short and (self._has_our_files or self.may("-x", folder.parent))

    @property
    def _has_our_files(self) -> bool:
        return self.who in ("self", "mapped")

    def _lodge_elsewhere(self, folder: Path) -> Path:
        if self._has_our_files:  # only the length can have been wrong
            made = Path(tempfile.mkdtemp(prefix="protonpay-"))
        else:
            _open_folder(ELSEWHERE)
            made = ELSEWHERE / f"{folder.name}-{secrets.token_hex(6)}"
            made.mkdir(mode=0o700)
        if folder.is_dir():
            shutil.copytree(folder, made, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(folder)
        folder.symlink_to(made)
        return made

    def give(self, path: Path) -> None:
        """Make this user the owner of a file, or of a folder with all that is in it.

        Raises:
            StackError: it is somebody else's.
        """
        try:
            for one in [path, *path.rglob("*")]:
                os.chown(one, self.uid, self.gid, follow_symlinks=False)
        except PermissionError as error:
            raise StackError(f"{path} belongs to another user: {error.strerror}") from error

    def _own(self, folder: Path) -> Path:
        if folder.stat().st_uid != self.uid:
            self.give(folder)
        folder.chmod(0o700)
        return folder


def tethered(program: list[str], who: str = "self", death: int = 15) -> list[str]:
    """Return the command line of a program that dies with this process, by ``death``."""
    start = [sys.executable, "-I", "-S", str(TETHER)]
    return [*start, str(os.getpid()), str(int(death)), who, *program]


def choose(folder: Path) -> Account:
    """Return the user for servers whose files are below ``folder``.

    Raises:
        StackError: this is root, and there is nobody else to run them.
    """
    if os.geteuid() != 0:
        return Account("self", os.geteuid(), os.getegid())
    mapped = Account("mapped", 0, 0)
    if mapped.may("-w", folder):
        return mapped
    for name in _UNPRIVILEGED:
        account = _account_of(name)
        if account and account.may("-e", Path("/")):
            return account
    raise StackError(
        "Postgres refuses to run as root, and this machine has neither user namespaces nor a "
        f"user {' or '.join(_UNPRIVILEGED)} to run it. Add one (`useradd --system postgres`), "
        "or run this as an ordinary user."
    )


def _account_of(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(f"{entry.pw_uid}:{entry.pw_gid}", entry.pw_uid, entry.pw_gid)


def _open_folder(folder: Path) -> None:
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder.chmod(0o755)
