"""Looking at a page as everybody does: three languages, two themes, five widths.

The themes differ in colours alone (``test_theme`` holds them to it), so one of them is enough to
see what does not fit, and axe sees the colours of both; ``make looks`` keeps pictures of all.

The third language is nobody's: the catalogue with accents, 40 % longer, each sentence in brackets.
What fits in it at every width fits in English; Russian is looked at where it is narrowest. What
stands outside of the brackets and is no value was never given to a translator.
"""

import inspect
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

import pytest

from protonpay.chains.registry import NETWORKS
from protonpay.portal import words
from protonpay.portal.catalogue.counted import Counted, Russian
from protonpay.portal.reference import pages as reference
from tests.browser.driving import SHOTS, Visit

LANGUAGES = ("en", "ru", "pseudo")
THEMES: Sequence[Literal["light", "dark"]] = ("light", "dark")
WIDTHS = (360, 768, 1280)
NARROW = (320, 640)
"""Looked at with the longest words only: 1280 px at 400 % and at 200 % (WCAG 1.4.10, 1.4.4)."""
USUAL: Mapping[str, Literal["light", "dark"]] = {"en": "light", "ru": "dark", "pseudo": "light"}
KEPT = {"en": 1280, "ru": 360}
"""Looks that are kept as pictures in every run; ``make looks`` keeps all of them."""
ALL = bool(os.environ.get("LOOKS"))
_NAMES = (
    *NETWORKS,
    "Tap",
    "YooKassa",
    "Freedom Pay",
    "Swagger UI",
    "OpenAPI",
    "Python",
    "JavaScript",
)
_NAMES += ("curl", "English", "Русский")
SAID_IN_EVERY_LANGUAGE = "|".join(
    (
        *_NAMES,
        r"\b[A-Z]{3,4}\b",  # currencies, and CSV
        r"\b[a-z]+[.:][a-z_.]+\b",  # events and scopes
        r"\d+ \p{L}+\.? \d{4} \p{L}\.",  # dates, which the language writes and no catalogue
        r"\d+\xa0\p{L}+",  # and large numbers
    )
)
"""What no language translates, beside names of people and things, which are marked."""

_ACCENTED = str.maketrans("AEIOUYaeiouycnsz", "ÀÉÎÖÛÝàéîöûýçñšž")
_VALUE = re.compile(r"({[^{}]*})")
_FAULTS = """() => {
  const wide = document.documentElement.clientWidth, faults = [];
  const more = document.documentElement.scrollWidth - wide;
  if (more > 0) faults.push(`the page is ${more} px too wide`);
  const unseen = ".skip, script, noscript, option, svg, datalist, thead";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (texts.nextNode()) {
    const text = texts.currentNode, holder = text.parentElement;
    if (!text.data.trim() || holder.closest(unseen) || !holder.checkVisibility()) continue;
    if (getComputedStyle(holder).clipPath !== "none") continue; // said, not shown
    range.selectNodeContents(text);
    const { left, right } = range.getBoundingClientRect();
    for (let box = holder; box !== document.body; box = box.parentElement) {
      const { overflowX, display } = getComputedStyle(box);
      if (/auto|scroll/.test(overflowX) || box.matches(".who bdi")) break;
      const walls = box.getBoundingClientRect();
      const out = right > walls.right + 1 || left < walls.left - 1;
      if (display === "inline" || !out) continue;
      faults.push(`out of its box: ${text.data.trim()}`);
      break;
    }
  }
  return [...new Set(faults)];
}"""
# Values, names, programs and other tongues are marked as such; all else is said by the catalogue.
_UNSAID = """(known) => {
  const marked = "code, pre, bdi, textarea, time, script, style, noscript, svg, .num, .who, .brand"
    + ", [lang]:not(html)";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), said = [];
  let depth = 0;
  while (texts.nextNode()) {
    let bare = "";
    for (const letter of texts.currentNode.data) {
      if (letter === "⟦") depth += 1;
      else if (letter === "⟧") depth -= 1;
      else if (!depth) bare += letter;
    }
    if (texts.currentNode.parentElement.closest(marked)) continue;
    bare = bare.replaceAll(new RegExp(known, "gu"), "");
    if (/\\p{L}{2}/u.test(bare)) said.push(bare.trim());
  }
  return [...new Set(said)];
}"""


def pseudo(english: str) -> str:
    """Return a sentence as a language would say it that needs 40 % more room."""
    spoken = english.rpartition("|")[2]
    parts = _VALUE.split(spoken)
    accented = "".join(
        part if _VALUE.fullmatch(part) else part.translate(_ACCENTED) for part in parts
    )
    more = len(_VALUE.sub("", spoken)) * 2 // 5
    return f"⟦{accented}{' ~~~~' * (more // 5)}{'~' * (more % 5)}⟧"


@contextmanager
def speaking(language: str) -> Iterator[str]:
    """Have pages speak a language; give the one that a browser asks for to hear it."""
    with pytest.MonkeyPatch.context() as patch:
        if language == "pseudo":
            counted = {
                english: Counted(forms.en, Russian(*[pseudo(english)] * 4))
                for english, forms in words.COUNTED.items()
            }
            patch.setattr(words, "IN_RUSSIAN", {each: pseudo(each) for each in words.IN_RUSSIAN})
            patch.setattr(words, "COUNTED", counted)
            # It remembers what it has made, and shall not remember this.
            made = inspect.unwrap(vars(reference)["_rendered"])
            patch.setattr(reference, "_rendered", made)
        yield "en" if language == "en" else "ru"


def heard(seen: Visit, name: str) -> str:
    """Return what the page tells who hears it, and keep it beside its pictures.

    Raises:
        AssertionError: something that can be used, or looked at, has no name.
    """
    told = seen.page.locator("body").aria_snapshot()
    SHOTS.mkdir(exist_ok=True)
    (SHOTS / f"{name}.aria.yml").write_text(told)
    # What is drawn inside of a picture with a name is that picture.
    drawn = re.sub(r"^( *- img \".*\"):\n *- img$", r"\1", told, flags=re.MULTILINE)
    used = r"^ *- (?:button|link|textbox|combobox|checkbox|img)\b(?! \").*"
    nameless = re.findall(used, drawn, re.MULTILINE)
    assert nameless == [], (name, nameless)
    return told


def look(seen: Visit, name: str, language: str, *, whole: bool = True, said: bool = True) -> None:
    """Look at the page that is open in all widths, and for words of no language.

    Args:
        seen: the page.
        name: of its pictures.
        language: that it speaks.
        whole: whether its pictures are of all of it, or of a window.
        said: whether all of its words are the catalogue's.

    Raises:
        AssertionError: something scrolls sideways, is cut, or was not said by the catalogue.
    """
    assert seen.page.locator(".band").is_visible(), name  # T45: nobody takes it for real money
    usual = USUAL[language]
    for theme in THEMES if ALL else (usual,):
        if ALL:
            seen.page.emulate_media(color_scheme=theme)
        for width in _widths(language):
            seen.page.set_viewport_size({"width": width, "height": 800})
            faults = seen.page.evaluate(_FAULTS)
            assert faults == [], (name, language, theme, width, faults)
            if ALL or KEPT.get(language) == width:
                seen.shot(f"{name}-{language}-{theme}-{width}", whole=whole)
    if said and language == "pseudo":
        unsaid = seen.page.evaluate(_UNSAID, SAID_IN_EVERY_LANGUAGE)
        assert unsaid == [], (name, unsaid)


def _widths(language: str) -> Sequence[int]:
    if language == "pseudo":
        return (*NARROW, *WIDTHS)
    return WIDTHS if ALL else (KEPT[language],)
