"""Documents that are generated and committed."""

import os
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def compare(name: str, text: str) -> None:
    """Assert that a document is as it should be; with UPDATE_DOCS=1 write it."""
    path = DOCS / name
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(text)
    assert path.read_text() == text, f"docs/{name} is old: make {path.stem}"
