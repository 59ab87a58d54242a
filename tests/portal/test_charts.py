"""Charts: what is drawn lies in its frame, and the table behind it is exact."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protonpay.kernel.money import MAX_MICRO, Usdc
from protonpay.portal import charts
from protonpay.portal.charts import COUNT, HEIGHT, WIDTH, Scale, Series
from protonpay.portal.words import speaker

SAY = speaker("en")
START = datetime(2026, 3, 1, tzinfo=UTC)
MONEY = st.integers(-MAX_MICRO, MAX_MICRO)
COUNTS = st.integers(0, MAX_MICRO)
unhurried = settings(deadline=None, max_examples=50)


def read(markup: str) -> ET.Element:
    """A chart as a tree: it is well formed, or this fails."""
    return ET.fromstring(f"<p>{markup.replace('&nbsp;', ' ')}</p>")


def cells(drawn: ET.Element) -> list[str]:
    return [cell.text or "" for cell in drawn.iter("td")]


def at(*days: int) -> list[datetime]:
    return [START + timedelta(days=day) for day in days]


def numbers(path: str) -> list[int]:
    return [int(number) for number in re.findall(r"-?\d+", path)]


def the_path(drawn: ET.Element) -> str:
    return next(
        path.get("d", "")
        for path in drawn.iter("path")
        if path.get("class", "").startswith("chart-line")
    )


@unhurried
@given(MONEY, MONEY, st.sampled_from([1, 1_000_000]))
def test_a_scale_encloses_what_is_drawn_and_has_zero(one: int, other: int, unit: int):
    least, most = sorted((one, other))
    scale = Scale.over(least, most, unit)
    assert scale.lowest <= min(least, 0) <= max(most, 0) <= scale.highest
    assert 0 in scale.ticks
    assert 2 <= len(scale.ticks) <= 7
    assert str(scale.step).rstrip("0") in ("1", "2", "5")
    assert 0 <= scale.y(most) <= scale.y(least) <= HEIGHT


@unhurried
@given(st.lists(st.tuples(st.integers(0, 10**6), MONEY), min_size=1, max_size=9))
def test_a_line_stays_in_its_frame_and_its_table_is_exact(given_: list[tuple[int, int]]):
    moments = sorted(START + timedelta(seconds=seconds) for seconds, _ in given_)
    points = list(zip(moments, (value for _, value in given_), strict=True))
    drawn = read(charts.line(SAY, "b", title="T", points=points))
    assert cells(drawn) == [SAY.value(Usdc(value)) for _, value in points]
    path = the_path(drawn)
    assert all(0 <= x <= WIDTH for x in numbers(" ".join(re.findall(r"[MH](\d+)", path))))
    assert all(0 <= y <= HEIGHT for y in numbers(" ".join(re.findall(r"V(-?\d+)", path))))


@unhurried
@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS), min_size=1, max_size=31))
def test_columns_stay_in_their_places_and_their_table_is_exact(given_: list[tuple[int, int, int]]):
    card, chain, out = (list(values) for values in zip(*given_, strict=True))
    series = [Series("Card", card), Series("Chain", chain), Series("Out", out, down=True)]
    labels = [str(day) for day in range(len(given_))]
    drawn = read(charts.bars(SAY, "io", title="T", labels=labels, series=series))
    wanted = [SAY.value(Usdc(value)) for day in given_ for value in day]
    assert cells(drawn) == wanted
    for rect in drawn.iter("rect"):
        if rect.get("class") == "chart-hit" or "y" not in rect.attrib:
            continue
        x, y, width, height = (int(rect.get(name, "")) for name in ("x", "y", "width", "height"))
        if (width, height) != (10, 10):  # of the legend
            assert 0 <= x < x + width <= WIDTH
            assert 0 <= y < y + height <= HEIGHT


def test_a_balance_steps_from_the_moment_it_changed():
    points = list(zip(at(0, 5), (100_000_000, 50_000_000), strict=True))
    drawn = charts.line(SAY, "b", title="T", points=points, until=at(10)[0])
    # The scale goes to 100 USDC; half of the time it stood at the top, then half way down.
    assert the_path(read(drawn)) == "M0 0H5000V500H10000"
    assert "lowest 50.00, highest 100.00, at the end 50.00" in drawn
    assert "1 Mar 2026" in drawn
    assert "11 Mar 2026" in drawn


def test_what_came_stands_above_the_line_and_what_went_below():
    series = [Series("In", [3_000_000]), Series("Out", [1_000_000], down=True)]
    drawn = read(charts.bars(SAY, "io", title="T", labels=["x"], series=series))
    parts = [rect.attrib for rect in drawn.iter("rect") if "y" in rect.attrib]
    of = {rect["class"]: rect for rect in parts if rect["width"] == "6000"}
    zero = 750  # of 3 up and 1 down
    assert (of["chart-0"]["y"], of["chart-0"]["height"]) == ("0", str(zero))
    assert (of["chart-1"]["y"], of["chart-1"]["height"]) == (str(zero), "250")


def test_kinds_are_stacked():
    series = [Series("Card", [1]), Series("Chain", [3])]
    drawn = read(charts.bars(SAY, "io", title="T", labels=["x"], series=series, unit=COUNT))
    parts = [(r.get("y"), r.get("height")) for r in drawn.iter("rect") if r.get("width") == "6000"]
    assert parts == [("750", "250"), ("0", "750")]
    assert "x: Card 1, Chain 3" in [title.text for title in drawn.iter("title")]


def test_nothing_and_nothing_but_zero_are_drawn():
    assert "nothing to draw" in charts.line(SAY, "b", title="T", points=[])
    assert "nothing to draw" in charts.bars(SAY, "b", title="T", labels=[], series=[])
    assert "nothing to draw" in charts.parts(SAY, "b", title="T", counts=[("Paid", 0)])
    flat = charts.line(SAY, "b", title="T", points=[(at(0)[0], 0)], until=at(1)[0])
    assert the_path(read(flat)) == "M0 1000H10000"
    columns = charts.bars(SAY, "b", title="T", labels=["x"], series=[Series("In", [0])])
    assert "chart-0" not in columns
    assert "at most 0.00" in columns


def test_one_moment_is_a_point():
    drawn = charts.line(SAY, "b", title="T", points=[(START, 1)])
    assert the_path(read(drawn)) == "M0 0H0"
    assert "chart-line dot" in drawn
    assert cells(read(drawn)) == ["0.000001"]


def test_the_largest_amount_has_a_short_scale_and_a_whole_table():
    drawn = charts.line(SAY, "b", title="T", points=[(START, MAX_MICRO)])
    assert "9,223,372,036,854.775807" in cells(read(drawn))
    assert ">10T<" in drawn
    russian = charts.line(speaker("ru"), "b", title="T", points=[(START, 1_500_000 * 10**6)])
    assert ">1,5\xa0млн<" in russian


@pytest.mark.parametrize(
    ("used", "limit", "width", "over"),
    [
        *((0, 5, 0, False), (1, 3, 3333, False), (5, 5, WIDTH, False), (6, 5, WIDTH, True)),
        *((0, 0, WIDTH, False), (1, 0, WIDTH, True), (MAX_MICRO, MAX_MICRO, WIDTH, False)),
    ],
)
def test_a_limit(used: int, limit: int, width: int, *, over: bool):
    drawn = charts.bullet(SAY, "l", title="Today", used=used, limit=limit)
    bars = {rect.get("class"): rect.get("width") for rect in read(drawn).iter("rect")}
    assert bars["bullet-used"] == str(width)
    assert ("above the limit" in drawn) == over
    assert f"{SAY.value(Usdc(used))} of {SAY.value(Usdc(limit))}" in drawn


@unhurried
@given(st.lists(st.tuples(st.just("x"), COUNTS), min_size=1, max_size=4))
def test_parts_fill_the_whole(counts: list[tuple[str, int]]):
    drawn = read(charts.parts(SAY, "p", title="T", counts=counts))
    widths = [int(r.get("width", "")) for r in drawn.iter("rect") if "y" not in r.attrib]
    whole = sum(count for _, count in counts)
    assert sum(widths) == (WIDTH if whole else 0)
    assert cells(drawn) == ([SAY.value(count) for _, count in counts] if whole else [])


HOSTILE = "</title><script>alert(1)</script>\"'&"


def test_whatever_is_said_is_text():
    drawn = [
        charts.line(SAY, "b", title=HOSTILE, points=[(START, 1)]),
        charts.bars(SAY, "b", title=HOSTILE, labels=[HOSTILE], series=[Series(HOSTILE, [1])]),
        charts.bullet(SAY, "b", title=HOSTILE, used=1, limit=2),
        charts.parts(SAY, "b", title=HOSTILE, counts=[(HOSTILE, 1)]),
        charts.line(SAY, "b", title=HOSTILE, points=[]),
    ]
    for each in drawn:
        assert "<script" not in each
        tree = read(each)
        assert not [tag for tag in tree.iter() if "style" in tag.attrib or tag.tag == "style"]
        assert not [name for tag in tree.iter() for name in tag.attrib if name.startswith("on")]


def test_a_drawing_has_a_name_and_a_description():
    drawn = read(charts.bars(SAY, "io", title="T", labels=["x"], series=[Series("In", [1])]))
    (svg,) = [tag for tag in drawn.iter("svg") if tag.get("role") == "img"]
    named = svg.get("aria-labelledby", "").split()
    told = {tag.get("id"): tag.text for tag in svg if tag.tag in ("title", "desc")}
    assert [told[name] for name in named] == ["T", "In: 0.000001 in all, at most 0.000001 (x)."]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.line(SAY, "b", title="T", points=[(at(1)[0], 1), (at(0)[0], 2)]),
        lambda: charts.line(SAY, "b", title="T", points=[(at(1)[0], 1)], until=at(0)[0]),
        lambda: charts.bars(SAY, "b", title="T", labels=["x"], series=[Series("In", [-1])]),
        lambda: charts.bars(SAY, "b", title="T", labels=["x"], series=[Series("In", [])]),
        lambda: charts.bullet(SAY, "b", title="T", used=-1, limit=1),
        lambda: charts.parts(SAY, "b", title="T", counts=[("x", -1)]),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw):
    with pytest.raises(ValueError, match=r"order of time|below zero"):
        draw()
