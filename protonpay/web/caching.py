"""Answers a client may keep for a while; every other one is ``no-store`` (``web/answers.py``)."""

import hashlib

from flask import Response, after_this_request, request

from protonpay.web.members import HEADER


def keep_for(seconds: int) -> None:
    """Let the caller, and no cache that is shared, keep this answer (API reference §8).

    It carries a weak ``ETag``; who sends it back as ``If-None-Match`` gets 304 and no body.
    """

    @after_this_request
    def tell(response: Response) -> Response:
        if response.status_code == 200:  # noqa: PLR2004 - the only answer worth keeping
            response.headers["Cache-Control"] = f"private, max-age={seconds}"
            # Another account in the same browser is another answer.
            response.vary.update(("Authorization", HEADER))
            response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32], weak=True)
            response.make_conditional(request)
        return response
