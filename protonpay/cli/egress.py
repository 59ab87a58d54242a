"""`flask ops egress check`: does the network stop what webhooks must not reach."""

import click
from flask.cli import AppGroup

from protonpay.wire import egress
from protonpay.wire.egress import Look, Met

egress_group = AppGroup("egress", help="What can be reached from here.")


class Place(click.ParamType[tuple[str, int]]):
    """``address:port``."""

    name = "address:port"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Read one, an IPv6 address with or without brackets."""
        host, _, port = value.rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            self.fail("Name it as in 10.0.0.5:5432.", param, ctx)
        return host.strip("[]"), int(port)


@egress_group.command("check")
@click.option("--not", "also", type=Place(), multiple=True, help="Must not be reached, either.")
@click.option("--but", type=Place(), multiple=True, help="Must be reached, such as the database.")
@click.option("--seconds", type=click.FloatRange(min=0.1, max=30), default=2, show_default=True)
def check(
    also: tuple[tuple[str, int], ...], but: tuple[tuple[str, int], ...], seconds: float
) -> None:
    """Try to connect to where webhooks must not go; run it where the webhooks worker runs, as it.

    Metadata servers, usual gateways, and this machine's own addresses, on which it listens.
    Exit status 1 if one of them, or of --not, answered, or one of --but did not.
    """
    inside = egress.look([*egress.INSIDE, *also], seconds) + egress.look_at_ourselves(seconds)
    needed = egress.look(but, seconds)
    for each in inside:
        _say(each, good=each.met is Met.NOTHING)
    for each in needed:
        _say(each, good=each.met is Met.OPEN)
    open_doors = [each for each in inside if each.met is not Met.NOTHING]
    shut_doors = [each for each in needed if each.met is not Met.OPEN]
    if open_doors or shut_doors:
        said = f"{len(open_doors)} that must not be reached answered"
        raise click.ClickException(f"{said}, {len(shut_doors)} that must be did not.")
    click.echo("Nothing inside answered. What does not exist does not answer, either: name yours.")


def _say(look: Look, *, good: bool) -> None:
    host = f"[{look.host}]" if ":" in look.host else look.host
    click.echo(f"{'ok ' if good else 'BAD'}  {host}:{look.port}  {look.met}")
