"""Charts as inline SVG, drawn here: no script, no colour alone, and a table behind each.

Values are whole numbers (micro-USDC, or counts), and so is every coordinate: nothing is rounded on
its way to the table. A drawing is stretched to the width it is given; its words stand beside it as
text, so that they keep their size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from protonpay.kernel.money import MICRO_PER_USDC, Usdc
from protonpay.locales import formats
from protonpay.portal.words import Say

WIDTH, HEIGHT = 10_000, 1_000
"""The drawing's own units."""

_MOST_STEPS = 4  # between lines of the scale, on each side of zero together
_GAP = 4  # parts of ten that a column leaves free in its place
_EACH_NAMED = 7  # columns; of more only the first, the middle and the last one is named
_STYLES = 4  # of columns and parts in charts.css

_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Unit:
    """What is counted.

    Attributes:
        one: how many of the whole numbers make one of what is shown.
        write: exactly, for the table.
        short: for the scale.
    """

    name: str
    one: int
    write: Callable[[Say, int], str]
    short: Callable[[Say, int], str]


USDC = Unit(
    "USDC",
    MICRO_PER_USDC,
    lambda say, micro: say.value(Usdc(micro)),
    lambda say, micro: formats.short(say.language, Decimal(str(Usdc(micro)))),
)
COUNT = Unit(
    "",
    1,
    lambda say, count: say.value(count),
    lambda say, count: formats.short(say.language, Decimal(count)),
)


@dataclass(frozen=True, slots=True)
class Series:
    """A value for each column, none below zero.

    Attributes:
        down: drawn below the line, as what goes out.
    """

    name: str
    values: Sequence[int]
    down: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """Lines at round values that enclose all that is drawn, zero among them."""

    lowest: int
    step: int
    highest: int

    @classmethod
    def over(cls, least: int, most: int, one: int) -> "Scale":
        """Return the scale for values between two; where all are zero it ends at one unit."""
        least, most = min(least, 0), max(most, 0)
        if least == most:
            most = one
        step = _round_number(-(-(most - least) // _MOST_STEPS))
        return cls(least // step * step, step, -(-most // step) * step)

    def y(self, value: int) -> int:
        """Return how far below the top a value lies."""
        return HEIGHT * (self.highest - value) // (self.highest - self.lowest)

    @property
    def ticks(self) -> list[int]:
        """The values with lines, from the top."""
        return list(range(self.highest, self.lowest - 1, -self.step))


def _round_number(least: int) -> int:
    """Return the first of 1, 2, 5, 10, 20, 50 … that is not below."""
    power = int(10 ** (len(str(least)) - 1))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least)


def line(
    say: Say,
    name: str,
    *,
    title: str,
    points: Sequence[tuple[datetime, int]],
    until: datetime | None = None,
    unit: Unit = USDC,
) -> Markup:
    """Draw what stood from each moment to the next: a balance jumps, it does not slope.

    Args:
        say: the page's language and time zone.
        name: of the drawing, one for each on a page: letters, digits, hyphens.
        title: what a reader learns from it, said already.
        points: from when on there was how much, in the order of time.
        until: how long the last one stood; to its own moment unless said.
        unit: what is counted.

    Raises:
        ValueError: a moment lies before the one before it.
    """
    times = [at for at, _ in points] + ([until] if until else [])
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("points stand in the order of time")
    if not points:
        return _drawn("empty", say=say, title=title)
    values = [value for _, value in points]
    scale = Scale.over(min(values), max(values), unit.one)
    path = _steps(points, times[-1], scale)
    first, last = times[0], times[-1]
    named = [first, first + (last - first) // 2, last] if first != last else [first]
    rows = [(say.value(at), [unit.write(say, value)]) for at, value in points]
    return _drawn(
        "line",
        say=say,
        name=name,
        title=title,
        said=_told(say, times, values, unit),
        scale=_scale(say, scale, unit),
        path=path,
        area=f"{path}V{scale.y(0)}H0Z",
        labels=[say.day(at) for at in named],
        axis=_axis(unit, formats.zone_name(say.language, last.astimezone(say.zone))),
        head=[say("Since"), unit.name or say("Count")],
        rows=rows,
    )


def _told(say: Say, times: Sequence[datetime], values: Sequence[int], unit: Unit) -> str:
    return say(
        "From {first} to {last}: lowest {low}, highest {high}, at the end {end}.",
        first=times[0],
        last=times[-1],
        low=unit.write(say, min(values)),
        high=unit.write(say, max(values)),
        end=unit.write(say, values[-1]),
    )


def _steps(points: Sequence[tuple[datetime, int]], end: datetime, scale: Scale) -> str:
    start = points[0][0]
    whole = _seconds(start, end) or 1
    drawn = f"M0 {scale.y(points[0][1])}"
    for at, value in points[1:]:
        drawn += f"H{WIDTH * _seconds(start, at) // whole}V{scale.y(value)}"
    # A path that goes nowhere is still drawn as the round end of its line.
    return f"{drawn}H{WIDTH if end > start else 0}"


def _seconds(start: datetime, end: datetime) -> int:
    span = end - start
    return span.days * 86_400 + span.seconds


def bars(  # noqa: PLR0913 - what a drawing says
    say: Say,
    name: str,
    *,
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    unit: Unit = USDC,
    axis: str = "",
) -> Markup:
    """Draw columns from zero: what came in above the line, what went out below, kinds stacked.

    Args:
        say: the page's language.
        name: of the drawing, one for each on a page: letters, digits, hyphens.
        title: what a reader learns from it, said already.
        labels: what each column is of, said already: a day, a status.
        series: at most four.
        unit: what is counted.
        axis: what the columns are, if the labels do not say it: a time zone.

    Raises:
        ValueError: a value is below zero, or a series has more or fewer values than labels.
    """
    if any(len(one.values) != len(labels) or min(one.values, default=0) < 0 for one in series):
        raise ValueError("a value for each label, none below zero")
    if not labels or not series:
        return _drawn("empty", say=say, title=title)
    scale = _enclosing(series, len(labels), unit)
    values = ([unit.write(say, value) for value in one.values] for one in series)
    rows = [(label, [*each]) for label, *each in zip(labels, *values, strict=True)]
    return _drawn(
        "bars",
        say=say,
        name=name,
        title=title,
        said=" ".join(_summary(say, one, labels, unit) for one in series),
        scale=_scale(say, scale, unit),
        columns=[
            (_tip(rows[at], series, unit), _column(series, at, scale)) for at in range(len(labels))
        ],
        place=WIDTH // len(labels),
        labels=_named(labels),
        each_named=len(labels) <= _EACH_NAMED,
        axis=_axis(unit, axis),
        legend=[one.name for one in series] if len(series) > 1 else [],
        head=["", *(f"{one.name}, {unit.name}" if unit.name else one.name for one in series)],
        rows=rows,
    )


def _enclosing(series: Sequence[Series], count: int, unit: Unit) -> Scale:
    ups, downs = (
        [sum(one.values[at] for one in series if one.down is down) for at in range(count)]
        for down in (False, True)
    )
    return Scale.over(-max(downs), max(ups), unit.one)


def _summary(say: Say, one: Series, labels: Sequence[str], unit: Unit) -> str:
    most = max(one.values)
    return say(
        "{name}: {total} in all, at most {most} ({label}).",
        name=one.name,
        total=unit.write(say, sum(one.values)),
        most=unit.write(say, most),
        label=labels[list(one.values).index(most)],
    )


def _column(
    series: Sequence[Series], at: int, scale: Scale
) -> list[tuple[int, int, int, int, int]]:
    """Return the parts of a column: style, x, y, width, height."""
    place = WIDTH // len(series[0].values)
    wide, left = place * (10 - _GAP) // 10, place * at + place * _GAP // 20
    reached, parts = {False: 0, True: 0}, []
    for style, one in enumerate(series):
        start = reached[one.down]
        reached[one.down] += one.values[at]
        ends = [-end if one.down else end for end in (start, reached[one.down])]
        top, bottom = sorted(scale.y(end) for end in ends)
        if bottom > top:
            parts.append((style % _STYLES, left, top, wide, bottom - top))
    return parts


def _tip(row: tuple[str, list[str]], series: Sequence[Series], unit: Unit) -> str:
    label, values = row
    told = (f"{one.name} {value}" for one, value in zip(series, values, strict=True))
    return f"{label}: {', '.join(told)} {unit.name}".rstrip()


def _named(labels: Sequence[str]) -> list[str]:
    if len(labels) <= _EACH_NAMED:
        return list(labels)
    return [labels[0], labels[(len(labels) - 1) // 2], labels[-1]]


def bullet(say: Say, name: str, *, title: str, used: int, limit: int, unit: Unit = USDC) -> Markup:
    """Draw how much of a limit is used; what is above it fills the bar and says so.

    Raises:
        ValueError: one of them is below zero.
    """
    if min(used, limit) < 0:
        raise ValueError("a limit and what is used of it are not below zero")
    return _drawn(
        "bullet",
        say=say,
        name=name,
        title=title,
        said=say("{used} of {limit}", used=unit.write(say, used), limit=unit.write(say, limit)),
        unit=unit.name,
        width=WIDTH if used >= limit else WIDTH * used // limit,
        over=used > limit,
        head=["", unit.name or say("Count")],
        rows=[
            (say("Used"), [unit.write(say, used)]),
            (say("Left"), [unit.write(say, max(0, limit - used))]),
            (say("Limit"), [unit.write(say, limit)]),
        ],
    )


def spark(said: str, counts: Sequence[int]) -> Markup:
    """Draw counts as columns of the height of a line of text, the highest as high as that.

    Args:
        said: what a reader learns from it, said already; the exact figures stand elsewhere.
        counts: one for each place, none below zero.
    """
    place, most = WIDTH // max(len(counts), 1), max(counts, default=0)
    drawn = [
        (place * at, HEIGHT * count // most) for at, count in enumerate(counts) if count and most
    ]
    return _drawn("spark", said=said, columns=drawn, place=place * (10 - _GAP) // 10)


def parts(say: Say, name: str, *, title: str, counts: Sequence[tuple[str, int]]) -> Markup:
    """Draw what a whole is made of, as one bar whose table is its legend.

    Raises:
        ValueError: a count is below zero.
    """
    whole = sum(count for _, count in counts)
    if any(count < 0 for _, count in counts):
        raise ValueError("counts are not below zero")
    if not whole:
        return _drawn("empty", say=say, title=title)
    edges, sum_ = [0], 0
    for _, count in counts:
        sum_ += count
        edges.append(WIDTH * sum_ // whole)
    drawn = [(at % _STYLES, start, end - start) for at, (start, end) in enumerate(pairwise(edges))]
    rows = [(at % _STYLES, label, say.value(count)) for at, (label, count) in enumerate(counts)]
    return _drawn("parts", say=say, name=name, title=title, drawn=drawn, rows=rows)


def _scale(say: Say, scale: Scale, unit: Unit) -> list[tuple[str, int, bool]]:
    """Return the lines of a scale: text, how far below the top, whether it is zero's."""
    return [(unit.short(say, tick), scale.y(tick), tick == 0) for tick in scale.ticks]


def _axis(unit: Unit, more: str) -> str:
    return " · ".join(word for word in (unit.name, more) if word)


def _drawn(macro: str, **values: object) -> Markup:
    drawing = getattr(_pages.get_template("parts/charts.html").module, macro)
    return Markup(drawing(**values))  # noqa: S704 - made by a template that escapes
