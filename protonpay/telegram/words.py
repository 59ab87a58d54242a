"""What the bot answers: it tells no account anything of another, and nobody a secret."""

from collections.abc import Mapping

ANSWERS: Mapping[str, Mapping[str, str]] = {
    "linked": {
        "en": "This chat is linked to your account now: you are told here what you choose on the"
        " page of notifications. /stop ends it.",
        "ru": "Теперь этот чат связан с вашим аккаунтом: сюда будет приходить то, что вы выбрали"
        " на странице уведомлений. Остановить: /stop.",
    },
    "no_code": {
        "en": "This link was used or replaced, or its time is over. Ask for a new one on the page"
        " of notifications in the portal.",
        "ru": "Эта ссылка уже использована, заменена или её срок истёк. Получите новую на странице"
        " уведомлений в портале.",
    },
    "chat_taken": {
        "en": "This chat is linked to an account already. Send /stop first, then open the link"
        " again.",
        "ru": "Этот чат уже связан с аккаунтом. Сначала отправьте /stop, потом откройте ссылку ещё"
        " раз.",
    },
    "account_taken": {
        "en": "Your account has another chat already. Unlink it on the page of notifications"
        " first.",
        "ru": "С вашим аккаунтом уже связан другой чат. Сначала отвяжите его на странице"
        " уведомлений.",
    },
    "stopped": {
        "en": "This chat is not linked any more. Nothing more will come here.",
        "ru": "Чат отвязан. Больше сюда ничего не придёт.",
    },
    "help": {
        "en": "To link this chat to your account, open the link on the page of notifications in"
        " the portal. /stop ends it.",
        "ru": "Чтобы связать этот чат с аккаунтом, откройте ссылку на странице уведомлений в"
        " портале. Остановить: /stop.",
    },
}


def answer(name: str, language: str) -> str:
    """Return an answer in the language of somebody's app: Russian, or English to all others."""
    return ANSWERS[name]["ru" if language.lower().partition("-")[0] == "ru" else "en"]
