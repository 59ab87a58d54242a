"""Every line of the security checklist is proved by a test that carries its number."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.written import compare
from tests.checklist import LINES, NOTES, SECTIONS, WAITING

ROOT = Path(__file__).parents[2]
MARK = "pytest.mark.checklist"


def _marks(node: ast.AST) -> Iterator[ast.expr]:
    """Every mention of the mark below a node, whatever it hangs on."""
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and ast.unparse(each) == MARK:
            yield each


def numbers_of(test: ast.FunctionDef) -> list[int]:
    """Return the lines that a test says it proves, in the order it names them."""
    return [
        number.value
        for decorator in test.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == MARK
        for number in decorator.args
        if isinstance(number, ast.Constant) and isinstance(number.value, int)
    ]


def _tests(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def proofs() -> dict[int, list[tuple[str, str]]]:
    """Return file and name of each line's tests."""
    found: dict[int, list[tuple[str, str]]] = {}
    for path in sorted(ROOT.glob("tests/*/**/test_*.py")):
        for test in _tests(ast.parse(path.read_text())):
            for number in numbers_of(test):
                place = str(path.relative_to(ROOT / "tests"))
                found.setdefault(number, []).append((place, test.name))
    return found


def test_the_list_is_whole():
    assert list(LINES) == list(range(1, 115))
    assert set(SECTIONS) | set(WAITING) | set(NOTES) <= set(LINES)


def test_every_line_has_a_test_unless_it_waits():
    assert set(proofs()) == set(LINES) - set(WAITING)


def test_a_mark_stands_on_a_test_and_names_its_lines_in_order():
    for path in ROOT.glob("tests/**/*.py"):
        tree = ast.parse(path.read_text())
        on_tests = [
            mark for test in _tests(tree) for d in test.decorator_list for mark in _marks(d)
        ]
        assert len(list(_marks(tree))) == len(on_tests), path
        for test in _tests(tree):
            numbers, marks = numbers_of(test), [m for d in test.decorator_list for m in _marks(d)]
            assert len(marks) <= 1, test.name
            assert bool(numbers) == bool(marks), test.name
            assert numbers == sorted(set(numbers)), test.name


@pytest.mark.parametrize(
    ("decorators", "numbers"),
    [
        ("@pytest.mark.checklist(3)", [3]),
        ("@pytest.mark.slow\n@pytest.mark.checklist(3, 14)", [3, 14]),
        ("@pytest.mark.checklist()", []),
        ("@pytest.mark.checklist(ALL)", []),
        ("@pytest.mark.slow", []),
        ("@checklist(3)", []),
    ],
)
def test_the_reader_of_marks_reads(decorators: str, numbers: list[int]):
    (test,) = _tests(ast.parse(f"{decorators}\ndef test_it():\n    pass\n"))
    assert numbers_of(test) == numbers


def _row(number: int, tests: list[tuple[str, str]]) -> str:
    said = LINES[number] + (f" *{NOTES[number]}*" if number in NOTES else "")
    named: dict[str, list[str]] = {}
    for place, name in tests:
        named.setdefault(place, []).append(f"`{name}`")
    shown = [f"{place}: {', '.join(names)}" for place, names in named.items()]
    if number in WAITING:
        shown = [f"*Waits: {WAITING[number]}.*"]
    return f"| {number} | {said} | {'<br>'.join(shown)} |"


def test_checklist_document():
    found = proofs()
    parts = [
        "# Security checklist",
        (
            "What must hold, and the tests below `tests/` that prove it: `pytest -m checklist` runs"
            " them.\nWritten by `make checklist` from `tests/checklist.py` and the tests' marks."
        ),
    ]
    bounds = [*SECTIONS, len(LINES) + 1]
    for first, beyond in itertools.pairwise(bounds):
        rows = [_row(number, found.get(number, [])) for number in range(first, beyond)]
        head = "| line | what must hold | proved by |\n|---|---|---|\n"
        parts += [f"## {SECTIONS[first]}", head + "\n".join(rows)]
    compare("checklist.md", "\n\n".join(parts) + "\n")
