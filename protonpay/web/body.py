"""Reading a request strictly: exact numbers, no duplicate members, nothing unknown."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Self

import marshmallow
from flask import Request, g
from gunicorn.http.errors import ParseException
from typing_extensions import override
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from protonpay.kernel.errors import Invalid
from protonpay.wire.exact import refuse_bottomless

MAX_BODY_BYTES = 65_536
"""Of every route but those that name a limit of their own (``longest_body=``)."""
_LONGEST_INTEGER = 40


class WrittenNumber(Decimal):
    """A JSON number that prints as it was written: ``1.0e1`` is not the text of an amount."""

    _text: str

    def __new__(cls, text: str) -> Self:
        """Read the number and keep its text.

        Raises:
            ValueError: an exponent that no decimal has.
        """
        try:
            number = super().__new__(cls, text)
        except InvalidOperation as error:
            raise ValueError("a number this far away means nothing here") from error
        number._text = text
        return number

    @override
    def __str__(self) -> str:
        return self._text


class StrictParser(FlaskParser):
    """Webargs' parser with our rules (API reference §12): bad input is always 400.

    JSON decimals arrive with their exact text, never as float.
    """

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - the shape the parent class gives it
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": marshmallow.RAISE,
        "json": marshmallow.RAISE,
    }

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:  # noqa: ARG002
        """Read the body as one JSON object."""
        if req.mimetype != "application/json":
            raise UnsupportedMediaType
        g.body_read = whole_body(req)
        return read_object(g.body_read)

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> Any:
        """Read the query; a repeated parameter has no one meaning."""
        refuse_repeated(req.args)
        return super().load_querystring(req, schema)


def whole_body(req: Request) -> bytes:
    """Return the body, with nothing missing and nothing behind it.

    Werkzeug takes what came before the connection ended for the whole, and of chunks without
    end as much as may come.

    Raises:
        BadRequest: cut off, or in chunks that cannot be read.
        RequestEntityTooLarge: longer than the route takes.
    """
    try:
        body = req.get_data(cache=True)
        beyond = len(body) == req.max_content_length and req.environ["wsgi.input"].read(1)
    except (OSError, ParseException) as error:
        raise BadRequest from error
    if beyond:
        raise RequestEntityTooLarge
    if req.content_length is not None and len(body) < req.content_length:
        raise BadRequest
    return body


def refuse_repeated(args: MultiDict[str, str]) -> None:
    """Refuse a query in which a name occurs twice.

    Raises:
        Invalid: ``validation_error``.
    """
    repeated = {name: ["Given more than once."] for name, values in args.lists() if len(values) > 1}
    if repeated:
        raise not_valid({"query": repeated})


def not_valid(fields: Mapping[str, Any]) -> Invalid:
    """Return the refusal of bad input: location → field → messages."""
    return Invalid("validation_error", "The request is not valid.", fields=fields)


def read_object(body: bytes) -> dict[str, Any]:
    """Read exact JSON whose top level is an object.

    Raises:
        Invalid: not such a document (``malformed_json``).
    """
    try:
        refuse_bottomless(body)
        text = body.decode("utf-8")
        document = json.loads(
            text,
            parse_float=WrittenNumber,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
        # A lone surrogate passes JSON and breaks every encoder behind it.
        json.dumps(document, ensure_ascii=False, default=str).encode()
    except ValueError:
        raise Invalid("malformed_json", "The body is not valid JSON.") from None
    if not isinstance(document, dict):
        raise Invalid("malformed_json", "The body must be a JSON object.")
    return document


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError("an integer this long means nothing here")
    return int(text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members
