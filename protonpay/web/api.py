"""The API object, and the blueprints of the areas whose doors decide who may come in."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from apispec import APISpec
from flask import request
from flask_smorest import Api, Blueprint
from marshmallow import fields
from typing_extensions import override

from protonpay.web import auth, idempotency, limits
from protonpay.web.access import NO_KEY, Access
from protonpay.web.body import StrictParser, not_valid
from protonpay.web.fields import WireSchema

BASE = "/api"


class Door(StrEnum):
    """Who may call a blueprint, and which bucket counts the call."""

    PUBLIC = "public"
    """Anyone, uncounted: providers' callbacks and probes, which have checks of their own."""
    AUTH = "auth"
    """Anyone, counted by address."""
    CLIENT = "client"
    """A signed-in user or one of their API keys, counted by account."""


class AreaBlueprint(Blueprint):  # type: ignore[misc] # the library ships no types
    """A blueprint of one area: its door opens before anything of the request is read.

    Attributes:
        access: what each client route says of API keys, by endpoint. One that says nothing
            lets none in, and tests/architecture refuses it.
    """

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, *, door: Door, prefix: str, about: str) -> None:
        super().__init__(name, import_name, url_prefix=BASE + prefix, description=about)
        self.door = door
        self.access: dict[str, Access] = {}
        self._reads_query: set[str] = set()
        if door is Door.CLIENT:
            self.before_request(self._authenticate)
            self.before_request(idempotency.read_header)
            self._prepare_doc_cbks.append(self._document_key)
        if door is Door.AUTH:
            counted = limits.by_address.shared_limit
            counted(limits.auth_rate, scope=limits.AUTH, exempt_when=limits.uncounted)(self)
        self.before_request(self._refuse_unread_query)

    @override
    def arguments(self, schema: Any, *, location: str = "json", **kwargs: Any) -> Any:
        decorate = super().arguments(schema, location=location, **kwargs)

        def mark(view: Callable[..., Any]) -> Any:
            wrapped = decorate(view)
            wrapped.reads_query = location == "query" or getattr(view, "reads_query", False)
            return wrapped

        return mark

    @override
    def response(self, status_code: int, schema: Any = None, **kwargs: Any) -> Any:
        decorate = super().response(status_code, schema, **kwargs)
        if self.door is not Door.CLIENT:
            return decorate

        def mark(view: Callable[..., Any]) -> Any:
            if "arguments" in getattr(view, "_apidoc", {}):
                raise TypeError(f"{view.__name__}: what is read stands above what is answered")
            return idempotency.once(decorate(view), schema)

        return mark

    @override
    def add_url_rule(self, rule: str, *args: Any, **kwargs: Any) -> None:
        endpoint = kwargs.get("endpoint") or (args[0] if args else None)
        view = kwargs.get("view_func") or (args[1] if len(args) > 1 else None)
        keys = kwargs.pop("keys", None)
        name = f"{self.name}.{endpoint or getattr(view, '__name__', '')}"
        if keys is not None:
            self.access[name] = keys
        if getattr(view, "reads_query", False):
            self._reads_query.add(name)
        posts = self.door is Door.CLIENT and "POST" in kwargs.get("methods", ())
        if posts and not getattr(view, "once", False):
            raise TypeError(f"{rule}: a client's POST says what it answers, and is done once")
        super().add_url_rule(rule, *args, **kwargs)

    @override
    def _store_endpoint_docs(
        self, endpoint: str, obj: Any, parameters: Any, tags: Any, **options: Any
    ) -> None:
        super()._store_endpoint_docs(endpoint, obj, parameters, tags, **options)
        if self.door is Door.CLIENT:
            security = self.access.get(f"{self.name}.{endpoint}", NO_KEY).as_security()
            for method, described in self._docs[endpoint].items():
                if method != "parameters":
                    described.setdefault("manual_doc", {})["security"] = security

    def _authenticate(self) -> None:
        auth.authenticate(self.access.get(request.endpoint or "", NO_KEY))

    def _document_key(
        self, doc: dict[str, Any], _info: dict[str, Any], *, spec: APISpec, method: str, **_: Any
    ) -> dict[str, Any]:
        if method == "post":
            idempotency.document(doc, spec)
        return doc

    def _refuse_unread_query(self) -> None:
        # webargs refuses unknown parameters only where a view reads the query at all.
        if request.args and request.endpoint not in self._reads_query:
            raise not_valid({"query": {name: ["Unknown field."] for name in request.args}})


class ProblemSchema(WireSchema):
    """An error answer (RFC 9457), as ``web/errors.py`` builds it."""

    type = fields.String(metadata={"format": "uri"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String(
        metadata={"description": "One sentence, in the language of ``Accept-Language``: en, ru."}
    )
    instance = fields.String()
    code = fields.String(metadata={"description": "Stable and machine-readable."})
    message = fields.String(metadata={"description": "The detail again."})
    errors = fields.Dict(metadata={"description": "Location, field, messages; on 400 only."})
    request_id = fields.String()


class ProblemApi(Api):  # type: ignore[misc] # the library ships no types
    """flask-smorest's API with our errors, in the answers and in the document."""

    ERROR_SCHEMA = ProblemSchema

    @override
    def _register_error_handlers(self) -> None:
        # The application has one builder for pages and API alike: errors.init_app.
        return
