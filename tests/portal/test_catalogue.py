"""The catalogue of words: whole in both languages, said somewhere, and nothing said beside it."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
import pytest
from jinja2 import nodes

from protonpay.kernel.fiat import FiatAmount
from protonpay.kernel.money import Usdc
from protonpay.locales import formats
from protonpay.portal import words
from protonpay.portal.catalogue.counted import Counted, English, Russian
from protonpay.portal.client.filters import worded
from protonpay.portal.components import MACHINES
from protonpay.portal.words import COUNTED, IN_RUSSIAN, speaker

PORTAL = Path(words.__file__).parent
TEMPLATES = sorted(PORTAL.glob("templates/**/*.html"))
MODULES = [path for path in sorted(PORTAL.glob("**/*.py")) if path.parent.name != "catalogue"]
NAMES = re.compile(r"{\w+}")
# Names, codes and signs that are the same in every language.
OF_NO_LANGUAGE = re.compile(
    r"TEST DATA|ТЕСТОВЫЕ ДАННЫЕ|Proton Pay|Swagger UI|PDF|CSV|USDC|UTC|API|OpenAPI"
    r"|(GET|POST|PATCH|PUT|DELETE) /[\w/{}-]*|curl|Python|JavaScript"
)
# Pages that are not yet in Russian.
ENGLISH_ONLY = {"docs.html"}


@cache
def _said_in_templates() -> dict[str, str]:
    """Every sentence that a template says itself, with a template that does."""
    environment = jinja2.Environment(autoescape=True)
    found = {}
    for path in TEMPLATES:
        for call in environment.parse(path.read_text()).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "say":
                found |= dict.fromkeys(_constants(call.args[0]), path.name)
    return found


def _constants(said: nodes.Expr) -> Iterator[str]:
    if isinstance(said, nodes.Const):
        yield said.value
    if isinstance(said, nodes.CondExpr):
        yield from _constants(said.expr1)
        yield from _constants(said.expr2 or nodes.Const(""))


@cache
def _said_in_modules() -> dict[str, str]:
    """The same of Python: literals, and names that are given literals in the same function."""
    found = {}
    for path in MODULES:
        for scope in ast.walk(ast.parse(path.read_text())):
            if isinstance(scope, ast.FunctionDef):
                found |= dict.fromkeys(_of_function(scope), path.name)
    return found


def _of_function(scope: ast.FunctionDef) -> Iterator[str]:
    calls = [node for node in ast.walk(scope) if isinstance(node, ast.Call) and node.args]
    said = [call.args[0] for call in calls if getattr(call.func, "id", "") == "say"]
    names = {each.id for each in said if isinstance(each, ast.Name)}
    said += [
        node.value
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in names
    ]
    for each in said:
        for node in ast.walk(each):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_sentence_that_is_said_has_its_russian():
    said = _said_in_templates() | _said_in_modules()
    missing = {one: where for one, where in said.items() if one not in {*IN_RUSSIAN, *COUNTED}}
    assert missing == {}, "not in protonpay/portal/catalogue"
    assert len(said) > 60


def test_every_sentence_of_the_catalogue_is_said():
    environment = jinja2.Environment(autoescape=True)
    written: set[object] = set()
    for path in TEMPLATES:
        tokens = environment.lex(path.read_text())
        written |= {ast.literal_eval(text) for _, kind, text in tokens if kind == "string"}
    for path in MODULES:
        tree = ast.walk(ast.parse(path.read_text()))
        written |= {node.value for node in tree if isinstance(node, ast.Constant)}
    # Screens say the codes of answers as words.
    document = (PORTAL.parents[1] / "docs" / "openapi.json").read_text()
    written |= {worded(code) for code in re.findall(r'"([A-Za-z]+(?:_[A-Za-z]+)*)"', document)}
    written |= _states()
    assert {*IN_RUSSIAN, *COUNTED} - written == set()


def _states() -> set[str]:
    return {worded(state) for machine in MACHINES.values() for state in machine.states}


def test_every_state_has_its_word():
    assert _states() - IN_RUSSIAN.keys() == set()


def test_both_languages_have_the_same_values():
    for english, russian in IN_RUSSIAN.items():
        assert sorted(NAMES.findall(english)) == sorted(NAMES.findall(russian)), english
    for name, forms in COUNTED.items():
        for form in (*forms.en, *forms.ru):
            assert set(NAMES.findall(form)) == set(NAMES.findall(name)), form


def test_what_counts_has_every_form_of_each_language():
    counting = [english for english in IN_RUSSIAN if "{count}" in english]
    assert counting == [], "these take forms: COUNTED"
    assert [name for name in COUNTED if "{count}" not in name] == []
    for forms in COUNTED.values():
        assert forms.en[-1] in COUNTED
        for language in formats.LANGUAGES:
            assert set(getattr(forms, language)._fields) == formats.plural_forms(language)


def test_a_sentence_of_two_areas_has_one_russian():
    for area in words.AREAS:
        for english, russian in area.IN_RUSSIAN.items():
            assert IN_RUSSIAN[english] == russian, area.__name__
        for name, forms in getattr(area, "COUNTED", {}).items():
            assert COUNTED[name] == forms


def test_russian_is_russian():
    """What a translator forgot is still English."""
    same = [
        english for english, russian in IN_RUSSIAN.items() if not re.search("[а-яА-Я]", russian)
    ]
    assert same == []


class _Words(HTMLParser):
    """Texts of a template that a person reads."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.code = 0
        source = re.sub(r"{% block kind %}.*?{% endblock %}", "", source)
        self.feed(re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "0", source, flags=re.DOTALL))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        read = ("aria-label", "alt", "title", "placeholder")
        self.found += [value for name, value in attrs if name in read and value]
        self.code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self.code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if not self.code:
            self.found.append(data)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_says_anything_beside_the_catalogue(path: Path):
    bare = [OF_NO_LANGUAGE.sub("", text) for text in _Words(path.read_text()).found]
    spoken = [text.strip() for text in bare if re.search(r"[^\W\d_]{2,}", text)]
    assert bool(spoken) == (path.name in ENGLISH_ONLY), spoken


def test_values_are_written_as_the_language_writes_them():
    at = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
    russian = speaker("ru", ZoneInfo("Europe/Moscow"))
    assert russian("Send {rest} USDC", rest=Usdc(1_250_000_000)) == "Отправьте 1\xa0250,00\xa0USDC"
    assert speaker("en")("Send {rest} USDC", rest=Usdc(1_250_000_000)) == "Send 1,250.00\xa0USDC"
    assert russian.value(at) == "14 мар. 2026 г., 15:00 МСК"
    assert russian.day(datetime(2026, 3, 14, 22, tzinfo=UTC)) == "15 мар. 2026 г."
    assert russian.value(date(2026, 3, 14)) == "14 мар. 2026 г."
    assert russian.value(FiatAmount(1250, "RUB")) == "12,50\xa0₽"
    assert russian.value(Decimal("1.5")) == "1,5"
    assert russian.value("1250.00") == "1250.00", "a text is as it is"
    assert russian.amount(Usdc(-1_000_000), signed=True) == "\u22121,00"
    assert russian.amount("1250.00") == "1\xa0250,00"
    assert russian.at("2026-03-14T12:00:00Z") == "14 мар. 2026 г., 15:00 МСК"


def test_counts_take_their_form(monkeypatch: pytest.MonkeyPatch):
    forms = Counted(
        English("{count} day", "{count} days"),
        Russian("{count} день", "{count} дня", "{count} дней", "{count} дня"),
    )
    monkeypatch.setattr(words, "COUNTED", {"{count} days": forms})
    counts = (1, 2, 5, 11, 1021, Decimal("1.5"))
    russian = [speaker("ru")("{count} days", count=count) for count in counts]
    assert russian == ["1 день", "2 дня", "5 дней", "11 дней", "1\xa0021 день", "1,5 дня"]
    english = [speaker("en")("{count} days", count=count) for count in counts]
    assert english == ["1 day", "2 days", "5 days", "11 days", "1,021 days", "1.5 days"]


def test_a_context_is_never_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        words, "IN_RUSSIAN", {"payout|Sent": "Отправлена", "money|Sent": "Отправлены"}
    )
    said = [speaker(language)("payout|Sent") for language in ("en", "ru")]
    assert said == ["Sent", "Отправлена"]
    assert speaker("ru")("letter|Sent") == "Sent"


def test_a_sentence_for_later_is_known_at_once():
    assert words.sentence("Copy") == "Copy"
    with pytest.raises(KeyError):
        words.sentence("Never said before")
