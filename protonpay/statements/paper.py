"""The statement as a PDF: A4, Open Sans, in English or Russian.

Everything has its place on the page; entries go on over as many pages as they need, each with
the head of the table again.
"""

from datetime import datetime, timedelta

from fpdf import FPDF
from fpdf.enums import Align
from ttf_opensans import OPENSANS_BOLD, OPENSANS_REGULAR
from typing_extensions import override

from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.locales import formats
from protonpay.statements.service import Line, Standing, Sum, Whole
from protonpay.statements.words import BY_LANGUAGE

Colour = tuple[int, int, int]

_FONT = "opensans"
_INK: Colour = (22, 32, 46)
_SOFT: Colour = (90, 103, 121)
_ACCENT: Colour = (31, 79, 216)
_RULE: Colour = (223, 228, 236)
_PALE: Colour = (244, 246, 250)
_WARN: Colour = (138, 83, 0)
_WHITE: Colour = (255, 255, 255)

_EDGE, _WIDTH, _FOOT = 16.0, 178.0, 279.0
_ROW, _THIN_ROW, _HEAD = 9.2, 6.4, 7.0
_SPACE = 2.5
# Where the columns of the entries end, from the left edge; texts begin at the first two.
_WHAT, _AMOUNT, _FEE, _CHANGE, _BALANCE = 24.0, 104.0, 124.0, 151.0, _WIDTH - _SPACE
_OF_TYPES = {"count": 84.0, "amount": 116.0, "fee": 144.0, "change": _WIDTH - _SPACE}


def write(whole: Whole, *, test: bool) -> bytes:
    """Return a statement as a PDF in its holder's language.

    Args:
        whole: what it says.
        test: whether every page says that this is no real money.
    """
    return _Paper(whole, test=test).whole()


class _Paper(FPDF):
    """One statement on its way to paper."""

    def __init__(self, whole: Whole, *, test: bool) -> None:
        super().__init__(format="A4")
        self._whole, self._statement, self._test = whole, whole.statement, test
        self._language = self._statement.language
        self._say = BY_LANGUAGE[self._language]
        self._printed = clock.now()
        self.add_font(_FONT, "", OPENSANS_REGULAR.path)
        self.add_font(_FONT, "B", OPENSANS_BOLD.path)
        self.set_auto_page_break(auto=False)
        self.set_margin(0)
        self.c_margin = 0.0
        self.set_title(f"{self._say['title']}: {self._month()}")
        self.set_author("Proton Pay")
        self.set_creator("Proton Pay")
        self.set_lang(self._language)
        self.set_creation_date(self._printed)

    def whole(self) -> bytes:
        """Write every page; return the document."""
        self.add_page()
        self._head()
        self._figures()
        if self._whole.lines:
            self._sums()
            self._lines()
        else:
            self._put(_EDGE, self.y + 4, self._say["none"], size=10, colour=_SOFT)
            self.y += 12
        self._explain()
        return bytes(self.output())

    @override
    def header(self) -> None:
        self._mark(_EDGE, 12)
        self._put(_EDGE + 11, 13.2, "Proton Pay", size=12.5, bold=True)
        if self._test:
            words = f"{BY_LANGUAGE['en']['test']} · {BY_LANGUAGE['ru']['test']}"
            self._put(_EDGE, 13.8, words, size=9, bold=True, colour=_WARN, right=_WIDTH)
        self.set_y(26)

    @override
    def footer(self) -> None:
        self._rule(_FOOT + 3)
        self._put(_EDGE, _FOOT + 4.5, f"{self._statement.public_id} · {self._month()}", size=7.5)
        page = self._say["page"].format(page=self.page_no(), pages="{nb}")
        # The number of pages is known at the end: what stands for it now is wider.
        wider = self._width("{nb}", 7.5) - self._width("0", 7.5)
        self._put(_EDGE, _FOOT + 4.5, page, size=7.5, right=_WIDTH + wider)

    def _head(self) -> None:
        say, statement = self._say, self._statement
        self._put(_EDGE, 27, say["title"], size=20, bold=True)
        self._put(_EDGE, 37, self._month(), size=12, colour=_SOFT)
        last = statement.month.until - timedelta(microseconds=1)
        period = f"{self._day(statement.month.created_at)} – {self._day(last)}"  # noqa: RUF001 - a dash
        clock_of = formats.zone_name(self._language, last.astimezone(statement.zone))
        zone = f"{statement.zone.key} ({clock_of})"
        facts = (
            ((_EDGE, "holder", self._plain(statement.name)), (_EDGE + 96, "period", period)),
            ((_EDGE, "account", statement.public_id), (_EDGE + 96, "zone", zone)),
        )
        y = 48.0
        for pair in facts:
            for x, name, told in pair:
                self._put(x, y, say[name], size=7.5, colour=_SOFT)
                self._put(x, y + 3.8, self._fitting(told, 82, 10), size=10)
            y += 11
        self.set_y(y + 2)

    def _figures(self) -> None:
        month, y = self._statement.month, self.y
        height = 22.0
        self.set_fill_color(*_PALE)
        self.rect(_EDGE, y, _WIDTH, height, style="F", round_corners=True, corner_radius=2.5)
        told = (
            ("opening", formats.usdc(self._language, month.opening.balance), month.opening),
            ("in", self._signed(self._whole.money_in), None),
            ("out", self._signed(ZERO - self._whole.money_out), None),
            ("closing", formats.usdc(self._language, month.closing.balance), month.closing),
        )
        for place, (name, amount, standing) in enumerate(told):
            x = _EDGE + 5 + place * 43.5
            colour = _ACCENT if name == "closing" else _INK
            self._put(x, y + 3.4, self._say[name], size=7.5, colour=_SOFT)
            self._put(x, y + 7.4, amount.replace("-", "\u2212"), size=12, bold=True, colour=colour)
            for line, part in enumerate(self._parts(standing)):
                self._put(x, y + 13.8 + line * 3.4, part, size=6.5, colour=_SOFT)
        self.set_y(y + height + 7)

    def _parts(self, standing: Standing | None) -> list[str]:
        """Say what a balance is made of, where it is not all available."""
        if standing is None or not (standing.held or standing.owed):
            return []
        of = [("available", standing.available), ("held", standing.held)]
        if standing.owed:
            of = [("held", standing.held), ("owed", standing.owed)]
        return [f"{self._say[name]} {formats.usdc(self._language, each)}" for name, each in of]

    def _sums(self) -> None:
        self._bar({"type": (_SPACE, False), **{name: (x, True) for name, x in _OF_TYPES.items()}})
        for one in self._whole.sums:
            self._sum(one, self._say[one.type])
        lines = self._whole.lines
        amount = sum((line.amount for line in lines), ZERO)
        fees = self._whole.fees
        total = Sum("", len(lines), amount, fees, amount - fees)
        self._sum(total, self._say["total"], bold=True)
        self.y += 7

    def _sum(self, one: Sum, name: str, *, bold: bool = False) -> None:
        y = self.y + 1.3
        self._put(_EDGE + _SPACE, y, name, size=8.5, bold=bold)
        told = {
            "count": formats.number(self._language, one.count),
            "amount": self._signed(one.amount),
            "fee": self._fee(one.fee),
            "change": self._signed(one.change),
        }
        for column, text in told.items():
            self._put(_EDGE, y, text, size=8.5, bold=bold, right=_OF_TYPES[column])
        self.y += _THIN_ROW
        self._rule(self.y)

    def _lines(self) -> None:
        self._break(_HEAD + 2 * _ROW)
        self._lines_head()
        for line in self._whole.lines:
            if self._break(_ROW):
                self._lines_head()
            self._line(line)
        self.y += 4

    def _lines_head(self) -> None:
        ends = {"amount": _AMOUNT, "fee": _FEE, "change": _CHANGE, "balance": _BALANCE}
        texts = {"date": (_SPACE, False), "what": (_WHAT, False)}
        self._bar({**texts, **{name: (x, True) for name, x in ends.items()}})

    def _line(self, line: Line) -> None:
        y, there = self.y + 0.9, line.at.astimezone(self._statement.zone)
        self._put(_EDGE + _SPACE, y, self._day(line.at), size=8)
        self._put(_EDGE + _SPACE, y + 3.7, there.strftime("%H:%M:%S"), size=6.5, colour=_SOFT)
        name = self._say[line.type] + (f" · {line.network}" if line.network else "")
        self._put(_EDGE + _WHAT, y, self._fitting(name, 60, 8.5), size=8.5)
        self._put(_EDGE + _WHAT, y + 3.7, self._told(line), size=6.5, colour=_SOFT)
        self._put(_EDGE, y, self._signed(line.amount), size=8.5, right=_AMOUNT)
        self._put(_EDGE, y, self._fee(line.fee), size=8.5, right=_FEE)
        self._put(_EDGE, y, self._signed(line.change), size=8.5, bold=True, right=_CHANGE)
        balance = formats.usdc(self._language, line.balance).replace("-", "\u2212")
        self._put(_EDGE, y, balance, size=8.5, right=_BALANCE)
        self.y += _ROW
        self._rule(self.y)

    def _told(self, line: Line) -> str:
        """Say the other side and the id, of both what there is; the middle of a long name goes."""
        ids = " · ".join(each for each in (line.id,) if each)
        towards = self._say["from" if line.change > ZERO else "to"]
        left = 154.0 - self._width(f" ·  {ids}", 6.5) if ids else 154.0
        party = (
            self._fitting(f"{towards} {self._plain(line.party)}", left, 6.5) if line.party else ""
        )
        return " · ".join(each for each in (party, ids) if each)

    def _explain(self) -> None:
        self._break(16)
        printed = formats.moment(self._language, self._printed, self._statement.zone)
        self.set_font(_FONT, "", 7.5)
        self.set_text_color(*_SOFT)
        self.set_xy(_EDGE, self.y)
        words = f"{self._say['explained']} {self._say['made']}: {printed}."
        self.multi_cell(_WIDTH, 3.9, words, align=Align.L)

    def _break(self, needed: float) -> bool:
        """Begin a page if so much does not fit on this one; tell whether it did not."""
        if self.y + needed <= _FOOT:
            return False
        self.add_page()
        return True

    def _bar(self, columns: dict[str, tuple[float, bool]]) -> None:
        self.set_fill_color(*_PALE)
        self.rect(_EDGE, self.y, _WIDTH, _HEAD, style="F")
        for name, (x, ends) in columns.items():
            self._put(
                _EDGE + (0 if ends else x),
                self.y + 1.7,
                self._say[name],
                size=7.5,
                bold=True,
                colour=_SOFT,
                right=x if ends else None,
            )
        self.y += _HEAD

    def _put(  # noqa: PLR0913 - what a text on paper has
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        bold: bool = False,
        colour: Colour = _INK,
        right: float | None = None,
    ) -> None:
        """Write a text from a point on; or so that it ends so far to the right of it."""
        top = self.y
        self.set_font(_FONT, "B" if bold else "", size)
        self.set_text_color(*colour)
        self.set_xy(x, y)
        self.cell(right or _WIDTH, size * 0.45, text, align=Align.L if right is None else Align.R)
        self.set_xy(_EDGE, top)

    def _rule(self, y: float) -> None:
        self.set_draw_color(*_RULE)
        self.set_line_width(0.2)
        self.line(_EDGE, y, _EDGE + _WIDTH, y)

    def _mark(self, x: float, y: float) -> None:
        """Draw the sign of the house, eight millimetres wide."""
        self.set_fill_color(*_ACCENT)
        self.rect(x, y, 8, 8, style="F", round_corners=True, corner_radius=2)
        self.set_draw_color(*_WHITE)
        self.set_line_width(0.45)
        for degrees in (0, 60, 120):
            with self.rotation(degrees, x + 4, y + 4):
                self.ellipse(x + 1.25, y + 2.9, 5.5, 2.2)
        self.set_fill_color(*_WHITE)
        self.circle(x + 4, y + 4, 0.65, style="F")

    def _month(self) -> str:
        begins = self._statement.month.created_at.astimezone(self._statement.zone)
        return formats.month(self._language, begins.date())

    def _day(self, at: datetime) -> str:
        return formats.day(self._language, at.astimezone(self._statement.zone).date())

    def _signed(self, amount: Usdc) -> str:
        return formats.signed(self._language, amount)

    def _fee(self, fee: Usdc) -> str:
        return formats.usdc(self._language, fee).replace("-", "\u2212") if fee else "–"  # noqa: RUF001

    def _width(self, text: str, size: float) -> float:
        self.set_font(_FONT, "", size)
        return float(self.get_string_width(text))

    def _plain(self, text: str | None) -> str:
        """Return a text in one line; a letter that the font has not is a question mark."""
        letters = getattr(self.fonts[_FONT], "cmap", {})
        return "".join(
            each if ord(each) in letters else "?" for each in " ".join((text or "").split())
        )

    def _fitting(self, text: str, width: float, size: float) -> str:
        """Return a text without so much of its middle that it fits."""
        if self._width(text, size) <= width:
            return text
        kept = len(text)
        while kept > 1 and self._width(_cut(text, kept), size) > width:
            kept -= 1
        return _cut(text, kept)


def _cut(text: str, kept: int) -> str:
    behind = kept // 2
    return f"{text[: kept - behind]}…{text[len(text) - behind :]}"
