"""Whether an answer is what the API document shows: every member, of its type and form."""

import re
from typing import Any

ID = re.compile(r"c[a-z0-9]{24}")
_MONEY = re.compile(r"(0|[1-9][0-9]*)\.[0-9]{2,6}")
_MOMENT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_WORD = re.compile(r"[A-Z_]+")

# What the document abbreviates with dots, by how it begins.
_ABBREVIATED = {
    "cm": ID,
    "evt_": re.compile(r"evt_c[a-z0-9]{24}"),
    "req_": re.compile(r"req_c[a-z0-9]{24}"),
    "curl/": re.compile(r"curl/[0-9.]+|python-requests/[0-9.]+|node"),
    "eyJ": _TOKEN,
    "D9cCZQ": re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}"),
    "sk_live_abc123": re.compile(r"sk_live_[0-9A-Za-z]{38}"),
    "sk_live_": re.compile(r"sk_live_[0-9A-Za-z]+"),
    "whsec_": re.compile(r"whsec_[A-Za-z0-9+/]{43}="),
    "5xKm2Q": re.compile(r"[1-9A-HJ-NP-Za-km-z]{64,88}|0x[0-9a-f]{64}"),
    "https://protonpay.org/pay/cm": re.compile(r"https?://[^/]+/pay/c[a-z0-9]{24}"),
    "https://checkout.tap.company/pay/chg_": re.compile(r"https?://[^/]+/.*chg_\w+"),
}


_TEXTS = {
    "JBSWY3...": re.compile(r"[A-Z2-7]{32}"),
    "ABCDEF-...": re.compile(r"[A-Z2-7]{6}(-[A-Z2-7]{6}){3}"),
    "otpauth://totp/ProtonPay:...": re.compile(r"otpauth://totp/ProtonPay:.*"),
    "cm...": ID,
    "/app/deposits/cm...": re.compile(r"/app/deposits/c[a-z0-9]{24}"),
    "0x4f2a...": re.compile(r"0x[0-9a-f]{64}|0xhash[0-9]+"),
    '{"event":...}': re.compile(r'\{"event":.*\}', re.DOTALL),
    "evt_...": _ABBREVIATED["evt_"],
    "req_...": _ABBREVIATED["req_"],
    "curl/...": _ABBREVIATED["curl/"],
    "curl": re.compile(r"curl|Python Requests|node"),
    "9f86d0...": re.compile(r"[0-9a-f]{64}"),
    "2026-03-13": re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}"),
    "2026-02": re.compile(r"20[0-9]{2}-[0-9]{2}"),
    "eyJ...": _TOKEN,
    "sk_live_abc123...": re.compile(r"sk_live_[0-9A-Za-z]{38}"),
    "sk_live_...": re.compile(r"sk_live_[0-9A-Za-z]+"),
    "whsec_...": _ABBREVIATED["whsec_"],
    "PP-...": re.compile(r"PP-[0-9A-Z]{8}"),
    "2026-03-14T12:00:00Z": _MOMENT,
    "https://protonpay.org/pay/cm...": re.compile(r"https?://[^/]+/pay/c[a-z0-9]{24}"),
    "https://checkout.tap.company/pay/chg_...": re.compile(r"https?://[^/]+/.*chg_\w+"),
    "https://t.me/example_bot?start=...": re.compile(r"https?://[^/]+/\w+\?start=[\w-]{32}"),
    "D9cCZQ...": re.compile(r"(?![A-Z]+$)[1-9A-HJ-NP-Za-km-z]{32,44}"),
    "Y21n...": re.compile(r"Y2[A-Za-z0-9_-]{32}"),
    "q1dmWU...": re.compile(r"[A-Za-z0-9_-]{43}"),
    "0x...": re.compile(r"0x[0-9a-fA-F]{40}"),
    "5xKm2Q...": re.compile(r"[1-9A-HJ-NP-Za-km-z]{64,88}"),
    "<svg...": re.compile(r"<svg.*", re.DOTALL),
    "solana:D9cCZQ...": re.compile(r"solana:.*"),
    "protonpay.org wants you to sign in with your Ethereum account:\n0x...": re.compile(
        r"\S+ wants you to sign in with your Ethereum account:\n0x.*", re.DOTALL
    ),
    "...": re.compile(r"[A-Za-z0-9_-]{20,}\.[0-9a-f]{16}"),
}
"""How a document writes what differs from run to run, and what it stands for."""


def shortened(answer: Any) -> Any:
    """Return an answer with one item of each list of things."""
    if isinstance(answer, dict):
        return {name: shortened(value) for name, value in answer.items()}
    if isinstance(answer, list) and not all(isinstance(item, str) for item in answer):
        return [shortened(answer[0])]
    return answer


def abbreviated(answer: Any) -> Any:
    """Return an answer as a document shows it: without values of one run only."""
    if isinstance(answer, dict):
        return {name: abbreviated(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [abbreviated(item) for item in answer]
    if isinstance(answer, str):
        return next((short for short, form in _TEXTS.items() if form.fullmatch(answer)), answer)
    return answer


def differences(documented: Any, answered: Any, where: str = "") -> list[str]:
    """List what is missing from an answer or of another kind; further members are allowed."""
    if isinstance(documented, dict):
        return _members(documented, answered, where)
    if isinstance(documented, list):
        return _items(documented, answered, where)
    if isinstance(documented, str):
        same = isinstance(answered, str) and _form(documented).fullmatch(answered)
        return [] if same else [f"{where}: {answered!r} is not like {documented!r}"]
    same = type(documented) is type(answered)
    return [] if same else [f"{where}: {answered!r} is no {type(documented).__name__}"]


def _items(documented: list[Any], answered: Any, where: str) -> list[str]:
    if not isinstance(answered, list) or bool(documented) > bool(answered):
        return [f"{where}: {answered!r} is not a list like {documented!r}"]
    if all(isinstance(item, str) for item in documented):
        same = answered == documented or not documented or _alike(documented, answered)
        return [] if same else [f"{where}: {answered!r}"]
    return [
        difference
        for n, item in enumerate(answered)
        for difference in differences(documented[0], item, f"{where}[{n}]")
    ]


def _alike(documented: list[str], answered: list[Any]) -> bool:
    """Tell whether each text has the form that all of the documented ones stand for."""
    form = _TEXTS.get(documented[0])
    return form is not None and all(form.fullmatch(str(item)) for item in answered)


def _members(documented: dict[str, Any], answered: Any, where: str) -> list[str]:
    if not isinstance(answered, dict):
        return [f"{where}: {answered!r} is not an object"]
    return [
        difference
        for name, value in documented.items()
        for difference in (
            differences(value, answered[name], f"{where}.{name}")
            if name in answered
            else [f"{where}.{name} is missing"]
        )
    ]


def _form(documented: str) -> re.Pattern[str]:
    if documented in _TEXTS:
        return _TEXTS[documented]
    for start, form in _ABBREVIATED.items():
        if "..." in documented and documented.startswith(start):
            return form
    for form in (_MONEY, _MOMENT, _WORD):
        if form.fullmatch(documented):
            return form
    return re.compile(re.escape(documented))
