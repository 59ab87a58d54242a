"""The API object, and the blueprints of the areas whose doors decide who may come in."""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from apispec import APISpec
from flask import Flask, request
from flask_smorest import Api, Blueprint
from marshmallow import fields
from typing_extensions import override

from protonpay.web import (
    auth,
    document,
    idempotency,
    limits,
    members,
    noting,
    operators,
    sheets,
    step_up,
)
from protonpay.web.access import NO_KEY, SECURITY_SCHEMES, Access
from protonpay.web.body import StrictParser, not_valid
from protonpay.web.document_schemas import SchemaPlugin
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
    OPERATOR = "operator"
    """Who runs the installation, by the role's permissions; counted by person."""


class AreaBlueprint(Blueprint):  # type: ignore[misc] # the library ships no types
    """A blueprint of one area: its door opens before anything of the request is read.

    Attributes:
        access: what each client route says of API keys, by endpoint. One that says nothing
            lets none in, and tests/architecture refuses it.
        actions: which action of the operators' table a route of theirs is, by endpoint. One that
            says nothing is nobody's.
        refuses: the error statuses of each route that do not follow from what kind of call it
            is (``web/document.py``), by endpoint.
        longest_body: bytes of a body, of each route that takes longer ones than the others.
    """

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, *, door: Door, prefix: str, about: str) -> None:
        super().__init__(name, import_name, url_prefix=BASE + prefix, description=about)
        self.door = door
        self.access: dict[str, Access] = {}
        self.actions: dict[str, str] = {}
        self.refuses: dict[str, Sequence[int]] = {}
        self.longest_body: dict[str, int] = {}
        self._items: dict[str, list[str]] = {}
        self._reads_query: set[str] = set()
        self._steps_up: set[str] = set()
        if door is Door.CLIENT:
            self.before_request(self._authenticate)
            self.before_request(idempotency.read_header)
        if door is Door.OPERATOR:
            self.before_request(self._know_operator)
        if door is Door.AUTH:
            counted = limits.by_address.shared_limit
            counted(limits.auth_rate, scope=limits.AUTH, exempt_when=limits.uncounted)(self)
        # Behind the door: nobody unknown sends more than the usual.
        self.before_request(self._widen_body)
        self.before_request(self._refuse_unread_query)
        self._prepare_doc_cbks.append(self._document)

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
            answered = noting.noted(decorate(sheets.either(view, schema)))
            return idempotency.once(answered, schema)

        return mark

    @override
    def add_url_rule(self, rule: str, *args: Any, **kwargs: Any) -> None:
        endpoint = kwargs.get("endpoint") or (args[0] if args else None)
        view = kwargs.get("view_func") or (args[1] if len(args) > 1 else None)
        keys = kwargs.pop("keys", None)
        name = f"{self.name}.{endpoint or getattr(view, '__name__', '')}"
        self.refuses[name] = kwargs.pop("refuses", ())
        for parameter in re.findall(r"<(?:id|event):(\w+)>", rule):
            self._items.setdefault(parameter, []).append(_operation_id(name))
        if keys is not None:
            self.access[name] = keys
        longest = kwargs.pop("longest_body", None)
        if longest is not None:
            self.longest_body[name] = longest
        action = kwargs.pop("may", None)
        if action is not None:
            self.actions[name] = action
        if getattr(view, "reads_query", False):
            self._reads_query.add(name)
        if getattr(view, "steps_up", False):
            self._steps_up.add(name)
        posts = self.door is Door.CLIENT and "POST" in kwargs.get("methods", ())
        if posts and not getattr(view, "once", False):
            raise TypeError(f"{rule}: a client's POST says what it answers, and is done once")
        super().add_url_rule(rule, *args, **kwargs)

    @override
    def _store_endpoint_docs(
        self, endpoint: str, obj: Any, parameters: Any, tags: Any, **options: Any
    ) -> None:
        super()._store_endpoint_docs(endpoint, obj, parameters, tags, **options)
        for method, described in self._docs[endpoint].items():
            if method != "parameters":
                described["endpoint"] = f"{self.name}.{endpoint}"

    def _authenticate(self) -> None:
        auth.authenticate(self.access.get(request.endpoint or "", NO_KEY))

    def _know_operator(self) -> None:
        operators.authenticate(self.actions.get(request.endpoint or "", operators.NOBODY))

    def _widen_body(self) -> None:
        longest = self.longest_body.get(request.endpoint or "")
        if longest is not None:
            request.max_content_length = longest

    def _security(self, endpoint: str) -> Any:
        if self.door is Door.CLIENT:
            return self.access.get(endpoint, NO_KEY).as_security()
        return [{"operator": []}] if self.door is Door.OPERATOR else []

    def _document(
        self, doc: dict[str, Any], info: dict[str, Any], *, spec: APISpec, method: str, **_: Any
    ) -> dict[str, Any]:
        endpoint, client = info["endpoint"], self.door is Door.CLIENT
        name = _operation_id(endpoint)
        once, counted = client and method == "post", self.door is not Door.PUBLIC
        if once:
            idempotency.document(doc, spec)
        if endpoint in self._steps_up:
            step_up.document(doc, spec)
        if client:
            members.document(doc, spec, endpoint)
        statuses = document.refusals(
            client=client or self.door is Door.OPERATOR,
            counted=counted,
            body="requestBody" in doc,
            writes=once,
            item=any(name in operations for operations in self._items.values()),
        )
        document.describe(
            doc,
            name=name,
            statuses=statuses.union(self.refuses[endpoint]),
            counted=counted,
            security=self._security(endpoint),
        )
        document.link(doc, self._items)
        return doc

    def _refuse_unread_query(self) -> None:
        # webargs refuses unknown parameters only where a view reads the query at all.
        if request.args and request.endpoint not in self._reads_query:
            raise not_valid({"query": {name: ["Unknown field."] for name in request.args}})


def _operation_id(endpoint: str) -> str:
    """Return how generated clients call a route: ``webhooks_change``."""
    return endpoint.replace("-", "_").replace(".", "_")


class ProblemSchema(WireSchema):
    """An error answer (RFC 9457), as ``web/errors.py`` builds it."""

    type = fields.String(
        metadata={
            "format": "uri",
            "description": "Names the code.",
            "example": "https://protonpay.org/problems/insufficient-balance",
        }
    )
    title = fields.String(
        metadata={"description": "The status in words.", "example": "Bad Request"}
    )
    status = fields.Integer(metadata={"minimum": 400, "maximum": 599, "example": 400})
    detail = fields.String(
        metadata={
            "description": "One sentence, in the language of `Accept-Language`: en, ru.",
            "example": "The balance does not cover this amount.",
        }
    )
    instance = fields.String(
        metadata={"description": "The path that was called.", "example": "/api/client/withdraw"}
    )
    code = fields.String(
        metadata={
            "description": "Stable and machine-readable.",
            "pattern": "^[a-z][a-z_]+$",
            "example": "insufficient_balance",
        }
    )
    message = fields.String(
        metadata={
            "description": "The detail again.",
            "example": "The balance does not cover this amount.",
        }
    )
    errors = fields.Dict(
        metadata={
            "description": "Location, field, messages; on 400 only.",
            "sometimes": True,
            "example": {"json": {"amount": ["Must be greater than zero."]}},
        }
    )
    mfa_token = fields.String(
        metadata={
            "description": "With `two_factor_required` at sign-in: goes to `/auth/2fa`.",
            "sometimes": True,
            "example": "eyJ...",
        }
    )
    request_id = fields.String(metadata={"description": "As in `X-Request-Id`."})


class ProblemApi(Api):  # type: ignore[misc] # the library ships no types
    """flask-smorest's API with our errors, in the answers and in the document.

    The document is written when it is first read: that takes two thirds of the time in which an
    application is made, and a command or a worker reads none.
    """

    ERROR_SCHEMA = ProblemSchema
    # Every status that can happen is named; the library would add one that excuses all others.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(
        self,
        app: Flask,
        *,
        prefix: str = "",
        about: str = document.ABOUT,
        credentials: Mapping[str, Any] = SECURITY_SCHEMES,
    ) -> None:
        self._undescribed: list[AreaBlueprint] = []
        self._describing = threading.RLock()
        super().__init__(
            app,
            spec_kwargs={
                "marshmallow_plugin": SchemaPlugin(),
                "info": {"description": about},
                "servers": document.SERVERS,
                "components": {"securitySchemes": credentials},
            },
            config_prefix=prefix,
        )

    @property
    def spec(self) -> APISpec:
        """The document, with every blueprint in it."""
        with self._describing:
            while self._undescribed:
                blueprint = self._undescribed.pop(0)
                try:
                    blueprint.register_views_in_doc(
                        self, self._app, self._spec, name=blueprint.name, parameters=None
                    )
                except BaseException:
                    # Who reads it next is told the same, and not given a document without it.
                    self._undescribed.insert(0, blueprint)
                    raise
                self._spec.tag({"name": blueprint.name, "description": blueprint.description})
            return self._spec

    @spec.setter
    def spec(self, made: APISpec) -> None:
        self._spec = made

    @override
    def register_blueprint(self, blp: AreaBlueprint) -> None:
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp)
        self._undescribed.append(blp)

    @override
    def _register_responses(self) -> None:
        document.register(self.spec, self.ERROR_SCHEMA)

    @override
    def _register_etag_headers(self) -> None:
        # Ours are described where all headers are.
        return

    @override
    def _register_pagination_header(self) -> None:
        return

    @override
    def _register_error_handlers(self) -> None:
        # The application has one builder for pages and API alike: errors.init_app.
        return
