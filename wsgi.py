"""The application that gunicorn and the flask command serve."""

from config import Config
from protonpay.app import create_app
from workers.commands import scheduler, worker

app = create_app(Config.load())
app.cli.add_command(worker)
app.cli.add_command(scheduler)
