"""Starts one program that dies with its parent: ``tether.py PARENT SIGNAL WHO PROGRAM …``.

Run as a script between every parent and child of the stack, with the standard library only,
because what it sets (the user, the signal on the parent's death) must be set in the child.

WHO is one of
    self         the user that started it
    mapped       root only: the same files, seen as an ordinary user's (a user namespace)
    UID:GID      root only: that user
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
MAPPED_ID = 1000
CANNOT_BECOME = 125
NO_SUCH_PROGRAM = 127


def main(arguments: list[str]) -> int:
    """Become the user, tie the life to the parent's, turn into the program."""
    parent, death, who, *program = arguments
    try:
        _become(who)
    except OSError as error:
        print(f"cannot run as {who}: {error}", file=sys.stderr)
        return CANNOT_BECOME
    _die_with(int(parent), int(death))
    # Python ignores these two, and a program started by one that ignores a signal does too.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is the point
    except OSError as error:
        print(f"{program[0]}: {error.strerror}", file=sys.stderr)
    return NO_SUCH_PROGRAM


def _become(who: str) -> None:
    if who == "self":
        return
    if who == "mapped":
        _map_root_to_somebody()
        return
    uid, _, gid = who.partition(":")
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))


def _map_root_to_somebody() -> None:
    # What `unshare --user --map-user --map-group` does, without asking for a version of it.
    uid, gid = os.geteuid(), os.getegid()
    _libc_call("unshare", CLONE_NEWUSER)
    me = Path("/proc/self")
    me.joinpath("setgroups").write_text("deny")
    me.joinpath("uid_map").write_text(f"{MAPPED_ID} {uid} 1")
    me.joinpath("gid_map").write_text(f"{MAPPED_ID} {gid} 1")


def _die_with(parent: int, death: int) -> None:
    # After the change of user: the kernel forgets the wish when credentials change.
    _libc_call("prctl", PR_SET_PDEATHSIG, death, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _libc_call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
