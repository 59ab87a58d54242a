"""The statement as a PDF, read back."""

import io
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from protonpay.kernel import zones
from protonpay.kernel.money import ZERO, Usdc
from protonpay.statements import blueprint, service
from protonpay.statements.printing import Press
from protonpay.statements.queries import Book
from protonpay.statements.service import Line, Standing, Statement, Whole
from protonpay.statements.words import ENGLISH, RUSSIAN
from protonpay.store import db
from protonpay.users import service as users
from tests.actors import Actor
from tests.refusals import refused
from tests.statements.test_statements import (  # noqa: F401 - fixtures
    ask,
    book,
    carol,
    march,
    statement,
)


def read(document: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(document))


def text_of(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def named(actor: Actor, name: str) -> None:
    with db.transaction():
        users.lock(actor.id).name = name


def test_it_says_what_the_json_says(carol: Actor, bob: Actor, book: None):
    made = march(carol, bob)
    told = statement(carol)

    answer = ask(carol, format="pdf")
    reader = read(answer.get_data())
    text = text_of(reader)

    assert answer.content_type == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="statement-2026-03.pdf"'
    assert reader.metadata is not None
    assert reader.metadata.title == "Account statement: March 2026"
    for words in ("Carol", carol.public_id, "1 Mar 2026 – 31 Mar 2026", "UTC (UTC)", "Page 1 of 1"):
        assert words in text, words
    assert "Opening balance\n10.00\n" in text
    assert "Money in\n+153.000001\n" in text
    assert "Money out\n−154.55\n" in text
    assert "Closing balance\n8.450001\n" in text
    assert "available 0.450001\nheld for withdrawals 8.00" in text
    for one in told["entries"]:
        row = " ".join(_as_printed(one[name], name) for name in ("amount", "fee", "change"))
        assert f"{row} {one['balance'].replace('-', '−')}" in text, one
        assert one["id"] is None or one["id"] in text
    assert text.count(made["card"]) == 2
    assert bob.id not in text
    assert carol.email not in text


def _as_printed(amount: str, name: str) -> str:
    if name == "fee":
        return "–" if amount == "0.00" else amount.replace("-", "−")
    return amount.replace("-", "−") if amount.startswith("-") else f"+{amount}"


def test_it_is_in_the_holders_language_and_clock(carol: Actor, bob: Actor, book: None):
    march(carol, bob)
    named(carol, "Иван\nПетров-Водкин 王")
    users.prefer(carol.id, language="ru", time_zone="Europe/Moscow")

    text = text_of(read(ask(carol, format="pdf").get_data()))

    assert "Выписка по счёту\nмарт 2026 г." in text
    assert "Иван Петров-Водкин ?" in text, "a letter that the font has not"
    assert "Europe/Moscow (МСК)" in text
    assert "Поступило\n+153,000001\n" in text
    assert "Пополнение возвращено плательщику" in text
    assert "2 мар. 2026 г.\n15:00:00" in text
    assert "Страница 1 из 1" in text


def long(count: int, language: str = "en") -> Whole:
    """A month of so many transfers to somebody with a long name."""
    zone, at, balance = zones.zone("UTC"), datetime(2026, 3, 5, tzinfo=UTC), Usdc(10**9)
    party = f"{'x' * 200}@example.com"
    lines = []
    for _ in range(count):
        balance -= Usdc(1)
        money = (Usdc(-1), ZERO, balance)
        lines.append(Line(at, "TRANSFER", "cm" + "a" * 23, None, party, None, None, *money))
    opening, closing = Standing(Usdc(10**9)), Standing(owed=balance)
    span = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    month = service.Month("2026-03", *span, opening, closing, count)
    told = Statement(month, zone, language, "Carol", "PP-7K3M9QWD", Book("x", {}), [])
    return Whole(told, lines, [])


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (10, 1), (20, 2), (60, 3)])
def test_every_page_has_the_head_the_foot_and_the_word_that_it_is_a_test(count: int, pages: int):
    made = Press()
    document = read(made.pdf(long(count)))

    assert len(document.pages) == pages
    for number, page in enumerate(document.pages, start=1):
        text = " ".join(page.extract_text().split())
        assert f"{ENGLISH['test']} · {RUSSIAN['test']}" in text
        assert f"PP-7K3M9QWD · March 2026 Page {number} of {pages}" in text
        assert ("Date Entry Amount Fee Change Balance" in text) is (count > 0)
    whole = text_of(document)
    assert whole.count("to xxx") == whole.count("…") == count
    assert ("Nothing moved in this month." in whole) is (count == 0)
    owed = "1,000.00" if count == 0 else "999.9999"
    assert f"owed {owed}" in whole, "and what is owed is said"
    made.bind(test=False)
    assert ENGLISH["test"] not in text_of(read(made.pdf(long(count))))


def test_a_long_month_is_not_printed(
    carol: Actor,
    bob: Actor,
    book: None,
    monkeypatch: pytest.MonkeyPatch,
):
    march(carol, bob)
    monkeypatch.setattr(blueprint, "MOST_LINES", 5)

    said = refused(ask(carol, format="pdf"), 400, "statement_too_long")["detail"]

    assert said == "This month has 6 lines; so it has at most 5. Ask for CSV."
    assert ask(carol).status_code == ask(carol, format="csv").status_code == 200


def test_both_languages_say_the_same_things():
    assert RUSSIAN.keys() == ENGLISH.keys()
    assert set(service.TYPES) <= ENGLISH.keys()
