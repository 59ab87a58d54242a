"""``python -m protonpay.stack.lock``: pin what the requirements bring along (``make lock``)."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_FILES = ("requirements.txt", "requirements-dev.txt")
_ABOUT = (
    "# Everything the requirements bring along, pinned. "
    "Written by `make lock`; do not edit by hand."
)
_RESOLVE = ("install", "--dry-run", "--ignore-installed", "-qq", "--disable-pip-version-check")


def main() -> None:
    """Resolve the requirements without the pins of last time, and write down the answer."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in _FILES:
            lines = (ROOT / name).read_text().splitlines(keepends=True)
            free = [line for line in lines if not line.startswith("-c ")]
            (Path(scratch) / name).write_text("".join(free))
        report = _resolve(Path(scratch))
    pins = (f"{entry['name']}=={entry['version']}" for entry in report)
    found = sorted(pins, key=str.casefold)
    (ROOT / "constraints.txt").write_text("\n".join([_ABOUT, *found, ""]))


def _resolve(folder: Path) -> list[dict[str, Any]]:
    report = folder / "report.json"
    program = [sys.executable, "-m", "pip", *_RESOLVE, "--report", str(report), "-r", _FILES[-1]]
    subprocess.run(program, check=True, cwd=folder)
    return [entry["metadata"] for entry in json.loads(report.read_text())["install"]]


if __name__ == "__main__":
    main()
