"""Foreign XML: elements with their text, and none of what XML can do beside."""

from dataclasses import dataclass
from typing import Any, NoReturn
from xml.parsers import expat

LONGEST = 262_144
DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Element:
    """An element: either its children or its text, exactly as they stand; no attributes."""

    name: str
    text: str = ""
    children: tuple["Element", ...] = ()

    def of(self, name: str) -> str:
        """Return the text of the first child of a name; empty when there is none."""
        return next((child.text for child in self.children if child.name == name), "")

    def all(self, *path: str) -> list["Element"]:
        """Return every element at the end of a path of names."""
        if not path:
            return [self]
        return [
            found
            for child in self.children
            if child.name == path[0]
            for found in child.all(*path[1:])
        ]


def read_xml(data: bytes) -> Element:
    """Read XML in UTF-8. Comments and attributes are passed over: nothing reads them.

    A document type is refused before anything in it is read, and entities with it: what was
    not declared cannot grow, nor fetch a file or an address.

    Raises:
        ValueError: not well-formed, over ``LONGEST`` bytes, deeper than ``DEEPEST`` elements,
            with a document type, a processing instruction, or text beside elements.
    """
    if len(data) > LONGEST:
        raise ValueError(f"more than {LONGEST} bytes of XML")
    data.decode()  # the parser would believe a mark of another encoding
    building = _Building()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = building.start
    parser.EndElementHandler = building.end
    parser.CharacterDataHandler = building.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    try:
        parser.Parse(data, True)  # noqa: FBT003 - expat's own way to say: the end
    except expat.ExpatError as error:
        raise ValueError("not readable as XML") from error
    return building.document()


class _Building:
    """The elements that are open, each with its text and the children it has so far."""

    def __init__(self) -> None:
        self._open: list[tuple[str, list[str], list[Element]]] = [("", [], [])]

    def start(self, name: str, _attributes: Any) -> None:
        if len(self._open) > DEEPEST:
            raise ValueError("nested too deep")
        self._open.append((name, [], []))

    def text(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, _name: str) -> None:
        name, texts, children = self._open.pop()
        text = "".join(texts)
        if children and text.strip():
            raise ValueError("text beside elements")
        element = Element(name, "" if children else text, tuple(children))
        self._open[-1][2].append(element)

    def document(self) -> Element:
        (document,) = self._open[0][2]
        return document


def _refuse(*_what: Any) -> NoReturn:
    raise ValueError("a document type or an instruction in XML")
