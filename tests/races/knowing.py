"""``gunicorn`` that has imported the product before it forks: who dies is replaced at once."""

from gunicorn.app.wsgiapp import run

import protonpay.app  # noqa: F401 - what its workers need not import again

if __name__ == "__main__":
    run(prog="gunicorn")
