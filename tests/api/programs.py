"""One call as a program in each language of docs/api.md."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BASE = "https://protonpay.org/api"
_ALONE = re.compile(r"\{([A-Z_]+)\}")
NOTHING = 204


@dataclass(frozen=True)
class Example:
    """One call.

    Attributes:
        path: with ``{NAMES}`` of what has to exist before; so has the body.
        public: needs no token.
        keeps: name → where its value stands in the answer.
        code: what stands in ``X-2FA-Code``.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    public: bool = False
    keeps: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    code: str | None = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]}"

    @property
    def once(self) -> bool:
        return self.method == "POST" and self.path.startswith("/client")


def curl(example: Example) -> str:
    lines = [f'curl -s "{BASE}{_in_shell(example.path)}"']
    if example.method != "GET" and not (example.method == "POST" and example.body is not None):
        lines[0] = lines[0].replace("curl -s", f"curl -s -X {example.method}")
    lines += [f'  -H "{name}: {_in_shell(value)}"' for name, value in _headers(example).items()]
    if example.body is not None:
        lines.append(f"  -d '{_in_quoted_shell(json.dumps(example.body))}'")
    return " \\\n".join(lines)


def python(example: Example) -> str:
    words = [f'"{BASE}{example.path}"']
    headers = _headers(example)
    headers.pop("Content-Type", None)  # requests sends it with a body of JSON
    if headers:
        words.append(f"headers={_python_dict(headers)}")
    if example.body is not None:
        words.append(f"json={_python_value(example.body)}")
    call = re.sub(r'"([^"]*\{[A-Z_]+\}[^"]*)"', _python_format, ",\n    ".join(words))
    imports = "import os\n\nimport requests" if "os.environ" in call else "import requests"
    shown = "" if example.status == NOTHING else "\nprint(answer.text)"
    return (
        f"{imports}\n\nanswer = requests.{example.method.lower()}(\n    {call},\n)\n"
        f"answer.raise_for_status(){shown}"
    )


def javascript(example: Example) -> str:
    options = []
    if example.method != "GET":
        options.append(f'method: "{example.method}"')
    if _headers(example):
        options.append(f"headers: {_js_headers(_headers(example))}")
    if example.body is not None:
        options.append(f"body: JSON.stringify({_js_object(example.body)})")
    inside = ",\n  ".join(options)
    call = f'"{BASE}{example.path}"' + (f", {{\n  {inside},\n}}" if options else "")
    call = re.sub(r'"([^"]*\{[A-Z_]+\}[^"]*)"', _js_format, call)
    shown = (
        "" if example.status == NOTHING else ("\nconsole.log(JSON.stringify(await answer.json()));")
    )
    return (
        f"const answer = await fetch({call});\n"
        f"if (!answer.ok) throw new Error(await answer.text());{shown}"
    )


def _headers(example: Example) -> dict[str, str]:
    headers = {} if example.public else {"Authorization": "Bearer {TOKEN}"}
    if example.body is not None:
        headers["Content-Type"] = "application/json"
    if example.once:
        headers["Idempotency-Key"] = "{ORDER_NUMBER}"
    if example.code is not None:
        headers["X-2FA-Code"] = example.code
    return headers


def _in_shell(text: str) -> str:
    return re.sub(r"\{([A-Z_]+)\}", r"$\1", text)


def _in_quoted_shell(text: str) -> str:
    return re.sub(r"\{([A-Z_]+)\}", "'\"$\\1\"'", text)


def _python_value(value: Any) -> str:
    return json.dumps(value).replace("false", "False").replace("true", "True")


def _python_dict(value: Mapping[str, str]) -> str:
    if len(value) == 1:
        return json.dumps(value)
    lines = "".join(
        f"        {json.dumps(name)}: {json.dumps(of)},\n" for name, of in value.items()
    )
    return f"{{\n{lines}    }}"


def _python_format(found: re.Match[str]) -> str:
    alone = _ALONE.fullmatch(found[1])
    if alone:
        return f'os.environ["{alone[1]}"]'
    inside = re.sub(r"\{([A-Z_]+)\}", r"{os.environ['\1']}", found[1])
    return f'f"{inside}"'


def _js_object(value: Mapping[str, Any]) -> str:
    return re.sub(r'"(\w+)":', r"\1:", json.dumps(value))


def _js_headers(value: Mapping[str, str]) -> str:
    if len(value) == 1:
        return _js_object(value)
    lines = "".join(f"    {json.dumps(name)}: {json.dumps(of)},\n" for name, of in value.items())
    return f"{{\n{lines}  }}"


def _js_format(found: re.Match[str]) -> str:
    alone = _ALONE.fullmatch(found[1])
    if alone:
        return f"process.env.{alone[1]}"
    inside = re.sub(r"\{([A-Z_]+)\}", r"${process.env.\1}", found[1])
    return f"`{inside}`"
