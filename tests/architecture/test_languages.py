"""What the program can say to a caller, it can say in every language; found by reading the code."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import marshmallow
import pytest
from flask import Flask

from protonpay.kernel import errors as kernel_errors
from protonpay.kernel import problems
from protonpay.kernel.errors import Refusal
from protonpay.web.fields import WireSchema
from protonpay.web.messages import IN_RUSSIAN

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for path in sorted(ROOT.glob("protonpay/**/*.py"))
    if not {"sandbox", "stack", "portal"} & set(path.parts)
]
# Who says something, and which of its arguments is the sentence.
SPEAKERS = {
    **{
        name: 1
        for name, kind in vars(kernel_errors).items()
        if inspect.isclass(kind) and issubclass(kind, Refusal) and kind is not Refusal
    },
    "ValidationError": 0,
    "BadTarget": 0,
    "problem": 2,
}
# Hands on what others have said.
_HANDS_ON = {"bad.said", "refusal.said"}
_NAMES = re.compile(r"\{([a-z_]+)\}")
_SENTENCE = re.compile(r"[A-Z].*\.")


def said_in(tree: ast.Module) -> Iterator[tuple[ast.Call, str | None]]:
    """Find each call of a speaker, and what it may say; None is what cannot be read."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {call: function for function in functions for call in ast.walk(function)}
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and _called(call) in SPEAKERS):
            continue
        place = SPEAKERS[_called(call)]
        if len(call.args) <= place:
            yield call, None
            continue
        for sentence in _readings(tree, inside.get(call), call.args[place]):
            yield call, sentence


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", None) or getattr(call.func, "attr", "")


def _readings(
    tree: ast.Module, function: ast.FunctionDef | None, said: ast.expr
) -> Iterator[str | None]:
    if isinstance(said, ast.Constant) and isinstance(said.value, str):
        yield said.value
    elif ast.unparse(said) in _HANDS_ON or ast.unparse(said) == "_sentence(error)":
        return
    elif isinstance(said, ast.Name):
        yield from _of_a_name(tree, function, said.id)
    else:
        yield None


def _of_a_name(
    tree: ast.Module, function: ast.FunctionDef | None, name: str
) -> Iterator[str | None]:
    """A name stands for what it was given, or for the argument of the function's own callers."""
    scope: ast.AST = function or tree
    given = [value for target, value in _assignments(scope) if target == name]
    given = given or [value for target, value in _assignments(tree) if target == name]
    if function is not None and name in [argument.arg for argument in function.args.args]:
        place = [argument.arg for argument in function.args.args].index(name)
        given = [
            call.args[place]
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and _called(call) == function.name
        ]
    if not given:
        yield None
    for value in given:
        constant = isinstance(value, ast.Constant) and isinstance(value.value, str)
        yield value.value if constant else None  # type: ignore[attr-defined] # a constant's


def _assignments(scope: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(scope):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=True)
                yield from ((one.id, of) for one, of in pairs if isinstance(one, ast.Name))


def _everything_said() -> Iterator[tuple[str, ast.Call, str | None]]:
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        for call, sentence in said_in(tree):
            yield f"{path.relative_to(ROOT)}:{call.lineno}", call, sentence


def test_every_refusal_is_a_sentence_of_the_catalogue():
    unread = [where for where, _, sentence in _everything_said() if sentence is None]
    assert unread == [], "say it with a literal sentence, and its values by name"
    missing = {
        (where, sentence)
        for where, _, sentence in _everything_said()
        if sentence is not None and sentence not in IN_RUSSIAN
    }
    assert missing == set(), "not in protonpay/web/messages.py"


def test_every_value_of_a_refusal_is_given_by_name():
    wrong = set()
    for where, call, sentence in _everything_said():
        if SPEAKERS[_called(call)] != 1 or sentence is None:
            continue
        given = {keyword.arg for keyword in call.keywords} - {"retry_after", "fields", "members"}
        if given != set(_NAMES.findall(sentence)):
            wrong.add((where, sentence))
    assert wrong == set()


def test_texts_beside_fields_are_in_the_catalogue():
    """``{"query": {name: ["Unknown field."]}}`` and the like."""
    missing = {
        (str(path.relative_to(ROOT)), item.value)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.List)
        for item in node.elts
        if isinstance(item, ast.Constant)
        and isinstance(item.value, str)
        and _SENTENCE.fullmatch(item.value)
        and item.value not in IN_RUSSIAN
    }
    assert missing == set()


def test_the_protocols_own_words_are_in_the_catalogue():
    missing = [
        status
        for status in problems.PROTOCOL_CODES
        if f"{HTTPStatus(status).phrase}." not in IN_RUSSIAN
    ]
    assert missing == []


def _schemas() -> Iterator[type[WireSchema]]:
    for path in SOURCES:
        if path.name in ("schemas.py", "paging.py", "api.py"):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    waiting = [WireSchema]
    while waiting:
        schema = waiting.pop()
        waiting += schema.__subclasses__()
        yield schema


def _library_texts(field: marshmallow.fields.Field) -> Iterator[str]:
    yield from field.error_messages.values()
    if isinstance(field, marshmallow.fields.List):
        yield from _library_texts(field.inner)
    for validator in field.validators:
        match validator:
            case marshmallow.validate.Length(min=None):
                yield validator.message_max
            case marshmallow.validate.Length():
                yield validator.message_all
            case marshmallow.validate.Range():
                yield (
                    validator._format_error(5, validator.message_all)
                    .replace(str(validator.min), "{min}", 1)
                    .replace(str(validator.max), "{max}", 1)
                )
            case marshmallow.validate.OneOf():
                yield validator.error


# Said of fields that only answer, or only if a program of ours hands over something odd.
_NEVER_SAID = {
    "Not a valid mapping type.",
    '"{input}" cannot be formatted as a date.',
    "Not a valid date.",
}


def test_every_text_of_the_validating_library_is_in_the_catalogue(app: Flask):
    said = {
        text
        for schema in _schemas()
        for field in schema().fields.values()
        for text in _library_texts(field)
    }
    said |= {marshmallow.Schema._default_error_messages[key] for key in ("type", "unknown")}
    assert said - _NEVER_SAID - set(IN_RUSSIAN) == set()


def test_both_languages_have_the_same_values():
    different = [
        english
        for english, russian in IN_RUSSIAN.items()
        if sorted(_NAMES.findall(english)) != sorted(_NAMES.findall(russian))
    ]
    assert different == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise Invalid("x", "Not this.")', ["Not this."]),
        ('said = "Not this."\nraise Invalid("x", said)', ["Not this."]),
        ('def f(a):\n  return Invalid("x", a)\nf("Not this.")', ["Not this."]),
        ('raise Invalid("x", f"Not {this}.")', [None]),
        ('raise Invalid("x", said())', [None]),
        ('raise Invalid("x")', [None]),
    ],
)
def test_the_reader_of_these_rules_reads(code: str, found: list[str | None]):
    assert [sentence for _, sentence in said_in(ast.parse(code))] == found
