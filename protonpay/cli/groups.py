"""Every group of commands, one file each."""

from protonpay.cli import treasury as _sweeps  # noqa: F401 - adds its commands to `flask ops`
from protonpay.cli.ops import ops
from protonpay.cli.sandbox import sandbox
from protonpay.cli.users import users

EVERYWHERE = (ops, users)
IN_A_SANDBOX = (*EVERYWHERE, sandbox)
