"""What is said in Russian of second factors, plans, and what operators do (``messages.py``)."""

from collections.abc import Mapping

OF_ACCOUNTS: Mapping[str, str] = {
    "An adjustment moves an amount above zero between two accounts.": (
        "Корректировка переносит сумму больше нуля между двумя счетами."
    ),
    "Somebody else than who proposed it must approve it.": (
        "Одобрить должен не тот, кто предложил."
    ),
    "There is no such adjustment.": "Такой корректировки нет.",
    "This adjustment is decided already.": "По этой корректировке уже принято решение.",
    "There is no such account, or nobody may adjust it: {address}.": (
        "Такого счёта нет, или его нельзя корректировать: {address}."
    ),
    "Telegram is not set up here.": "Telegram здесь не настроен.",
    "A Telegram chat is linked already. Unlink it first.": (
        "Чат Telegram уже привязан. Сначала отвяжите его."
    ),
    "Send a code of your app in X-2FA-Code.": "Отправьте код из приложения в X-2FA-Code.",
    "Send a code of your second factor to /auth/2fa.": (
        "Отправьте код второго фактора в /auth/2fa."
    ),
    "The code is wrong, or was used before.": "Код неверен или уже использован.",
    "Too many wrong codes. Try again later.": "Слишком много неверных кодов. Попробуйте позже.",
    "There is no such passkey.": "Такого ключа доступа нет.",
    "This passkey is there already.": "Этот ключ доступа уже добавлен.",
    "At most {limit} passkeys.": "Не более {limit} ключей доступа.",
    "This account has no passkey. Send a code to /auth/2fa.": (
        "У этого аккаунта нет ключа доступа. Отправьте код в /auth/2fa."
    ),
    "The passkey was not made for this, or too late. Begin again.": (
        "Ключ доступа создан не для этого или слишком поздно. Начните заново."
    ),
    "The passkey opens nothing here, or its answer came too late.": (
        "Ключ доступа здесь ничего не открывает, или ответ пришёл слишком поздно."
    ),
    "This passkey may have been copied. Sign in another way, and remove it.": (
        "Возможно, этот ключ доступа скопирован. Войдите иначе и удалите его."
    ),
    "There is a second factor already.": "Второй фактор уже включён.",
    "There is no second factor.": "Второго фактора нет.",
    "No second factor is to be taken away.": "Второй фактор никто не отключает.",
    "Set up an app first: the secret is good for ten minutes.": (
        "Сначала настройте приложение: секрет действует десять минут."
    ),
    "Say why, in at most {limit} characters.": "Назовите причину, не более {limit} символов.",
    "There is a plan of this name already.": "План с таким именем уже есть.",
    "There is no such plan.": "Такого плана нет.",
    "A change is announced at least {seconds} seconds before.": (
        "Изменение объявляют не менее чем за {seconds} секунд."
    ),
    "A version that begins then or later is announced.": (
        "Уже объявлена версия, которая начнётся тогда же или позже."
    ),
    "Name what changes, as the plan has it.": "Назовите, что меняется, как в плане.",
    "No number of a plan is below zero or above the whole.": (
        "Ни одно число плана не меньше нуля и не больше целого."
    ),
    "Nothing can be changed right now. What you read is true.": (
        "Сейчас ничего нельзя изменить. То, что вы видите, верно."
    ),
    "No new accounts are opened right now. Try again later.": (
        "Новые аккаунты сейчас не открываются. Попробуйте позже."
    ),
    "This is not the hash of a transaction of {network}.": "Это не хеш транзакции сети {network}.",
    # of operators
    "Your role may not do this: {action}.": "Ваша роль этого не позволяет: {action}.",
    "Send a code of your app as `code`.": "Отправьте код из приложения в `code`.",
    "This address is an operator's already.": "Этот адрес уже принадлежит оператору.",
    "There is no such operator.": "Такого оператора нет.",
    "Nobody decides about an account of their own.": "О собственном аккаунте никто не решает.",
    "This reference names another adjustment.": "Эта ссылка относится к другой корректировке.",
    "There is no such switch.": "Такого переключателя нет.",
    "There is no such case.": "Такого расхождения нет.",
    "This case is not open.": "Это расхождение не открыто.",
    "A case of this kind closes only when it is mended.": (
        "Расхождение этого вида закрывается, только когда оно устранено."
    ),
    # of documents of identity checks
    "A document has at most {limit} bytes.": "В документе не более {limit} байт.",
    "A document is a JPEG, a PNG or a PDF.": "Документ — это JPEG, PNG или PDF.",
    "At most {limit} documents.": "Не более {limit} документов.",
    "There is no such document.": "Такого документа нет.",
    "This document was submitted: it stays.": "Этот документ уже отправлен: он остаётся.",
    "This document was dropped when its time was over.": (
        "Этот документ удалён по истечении срока хранения."
    ),
    "Your identity is approved: nothing more is needed.": (
        "Ваша личность подтверждена: больше ничего не нужно."
    ),
    "Not base64.": "Не base64.",
    "This identity is not approved.": "Эта личность не подтверждена.",
    "A level is between 1 and {limit}.": "Уровень — от 1 до {limit}.",
}
