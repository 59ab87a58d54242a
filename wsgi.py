"""The application that gunicorn and the flask command serve."""

import gc

# What is imported stays: to look for garbage in it meanwhile is a fifth of every start.
gc.disable()

from config import Config  # noqa: E402 - after that
from protonpay.app import create_app  # noqa: E402
from workers.commands import scheduler, worker  # noqa: E402

app = create_app(Config.load())
app.cli.add_command(worker)
app.cli.add_command(scheduler)
gc.freeze()
gc.enable()
