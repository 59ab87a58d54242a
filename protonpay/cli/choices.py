"""A choice among what there is once the settings are read, later than commands are declared."""

from collections.abc import Callable, Iterable

import click
from typing_extensions import override


class OneOf(click.ParamType[str]):
    """One of some names, asked for at each use."""

    name = "choice"

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        self._names = names

    @override
    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return self._choice().get_metavar(param, ctx)

    @override
    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return self._choice().convert(value, param, ctx)

    def _choice(self) -> click.Choice[str]:
        return click.Choice(list(self._names()))
