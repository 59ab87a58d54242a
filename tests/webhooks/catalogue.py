"""docs/webhooks.md: prose by hand, the payload of each event filled in between marks."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[2] / "docs" / "webhooks.md"
_MARK = re.compile(r"<!-- event (\S+) -->\n(.*?)<!-- end -->\n", re.DOTALL)
_CODE = re.compile(r"```(\w+) verify-(\w+)\n(.*?)```\n", re.DOTALL)


def document(payloads: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the document with the payloads in it."""

    def filled(mark: re.Match[str]) -> str:
        said = json.dumps(payloads[mark[1]], indent=2, ensure_ascii=False)
        return f"<!-- event {mark[1]} -->\n```json\n{said}\n```\n<!-- end -->\n"

    return _MARK.sub(filled, PATH.read_text())


def written() -> Mapping[str, Any]:
    """Return the payload of each event as the document shows it."""
    found = {}
    for mark in _MARK.finditer(PATH.read_text()):
        said = mark[2].removeprefix("```json\n").removesuffix("```\n")
        found[mark[1]] = json.loads(said) if said else None
    return found


def vector() -> Mapping[str, str]:
    """Return the values the document gives to try a receiver with."""
    found = re.search(r"<!-- vector -->\n```\n(.*?)```\n<!-- end -->", PATH.read_text(), re.DOTALL)
    if found is None:
        raise LookupError("vector")
    lines = (line.split(maxsplit=1) for line in found[1].splitlines())
    return dict(lines)


def program(language: str, which: str) -> str:
    """Return one of the document's programs."""
    for code in _CODE.finditer(PATH.read_text()):
        if (code[1], code[2]) == (language, which):
            return code[3]
    raise LookupError(f"{language} {which}")
