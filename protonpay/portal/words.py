"""What the pages say, found by the English sentence; what has no translation stays English."""

from collections.abc import Callable, Mapping

from flask import request

LANGUAGES = ("en", "ru")
"""The first one is spoken to who asks for none, or for none of these."""

SWITCH = "lang"
"""In an address: which language it is in from now on. The cookie of this name remembers it."""

Say = Callable[..., str]

IN_RUSSIAN: Mapping[str, str] = {
    # headings and chips
    "Invoice": "Счёт",
    "Waiting for payment": "Ожидаем оплату",
    "Part paid": "Оплачен частично",
    "Under review": "На проверке",
    "Payment received and under review": "Платёж получен и проходит проверку",
    "{held} USDC has arrived and is being checked. Do not pay again; nothing more is needed.": (
        "Поступило {held} USDC, идёт проверка. Не платите повторно: больше ничего не нужно."
    ),
    "Confirming": "Подтверждается",
    "Paid": "Оплачено",
    "Expired": "Срок истёк",
    "Cancelled": "Отменён",
    "Refunded": "Возвращено",
    "Partly refunded": "Возвращено частично",
    "Send {rest} USDC": "Отправьте {rest} USDC",
    "The payment has arrived": "Платёж получен",
    "Send {rest} USDC more": "Отправьте ещё {rest} USDC",
    "Payment found, waiting for the network": "Платёж найден, ждём подтверждения сети",
    "This invoice has expired": "Срок счёта истёк",
    "Expired, {paid} of {total} USDC arrived": "Срок истёк, получено {paid} из {total} USDC",
    "The payment came after the deadline": "Платёж пришёл после срока",
    "The seller cancelled this invoice": "Продавец отменил счёт",
    "{refunded} USDC was returned": "Возвращено {refunded} USDC",
    "No such invoice": "Счёт не найден",
    # sentences
    "Choose one of the networks below and send exactly this amount.": (
        "Выберите одну из сетей ниже и отправьте ровно эту сумму."
    ),
    "Received {paid} of {total} USDC. Send the rest to the same address.": (
        "Получено {paid} из {total} USDC. Отправьте остаток на тот же адрес."
    ),
    "{confirming} USDC is on its way. You can close this page; nothing more is needed.": (
        "{confirming} USDC уже в пути. Страницу можно закрыть, больше ничего не нужно."
    ),
    "{confirming} USDC is on its way; {rest} USDC is still missing.": (
        "{confirming} USDC уже в пути; не хватает ещё {rest} USDC."
    ),
    "{seller} has received {paid} USDC.": "Поступило {paid} USDC. Получатель: {seller}.",
    "{seller} has received {paid} USDC. Short by {short} USDC, accepted.": (
        "Поступило {paid} USDC, не хватило {short} USDC, принято. Получатель: {seller}."
    ),
    "{seller} has received {paid} USDC, {over} USDC more than needed. Ask for it back.": (
        "Поступило {paid} USDC, на {over} USDC больше нужного. Попросите вернуть разницу: {seller}."
    ),
    "It came after the deadline, and was accepted.": "Платёж пришёл после срока и был принят.",
    "Do not send money to its address. Ask the seller for a new invoice.": (
        "Не отправляйте деньги на его адрес. Попросите у продавца новый счёт."
    ),
    "{seller} has what arrived. Ask for it back, or for a new invoice for the rest.": (
        "Полученное у продавца: {seller}. Попросите вернуть его или выставить счёт на остаток."
    ),
    "{seller} has received {paid} USDC, but the invoice had ended. Ask the seller what happens next.": (  # noqa: E501 - one sentence is one key
        "Поступило {paid} USDC, но срок счёта уже истёк. Спросите продавца, что дальше: {seller}."
    ),
    "Do not send money for it.": "Не отправляйте по нему деньги.",
    "Before that {paid} USDC arrived; {seller} has it. Ask for it back.": (
        "До этого поступило {paid} USDC; деньги у продавца: {seller}. Попросите вернуть их."
    ),
    "All that was paid was given back.": "Всё уплаченное возвращено.",
    "Of {paid} USDC that was paid.": "Из уплаченных {paid} USDC.",
    "{confirming} USDC has been seen on its way. It will be credited to {seller}.": (
        "Видим {confirming} USDC в пути. Сумма будет зачислена продавцу: {seller}."
    ),
    "Check the link, or ask the seller for a new one.": (
        "Проверьте ссылку или попросите у продавца новую."
    ),
    "Addresses are being prepared. This page will show them in a moment.": (
        "Адреса готовятся. Страница покажет их через мгновение."
    ),
    # labels
    "{seller} asks for": "Счёт от {seller}",
    "{seller} asked for": "Счёт от {seller}",
    "Still due": "Осталось",
    "Paid at": "Оплачен",
    "Payable until": "Оплатить до",
    "Was payable until": "Можно было оплатить до",
    "{hours} h {minutes} min left": "осталось {hours} ч {minutes} мин",
    "{days} d {hours} h left": "осталось {days} дн. {hours} ч",
    "Pay on {network}": "Оплатить в сети {network}",
    "Send exactly": "Отправьте ровно",
    "To the address": "На адрес",
    "Open in a wallet": "Открыть в кошельке",
    "QR code of the address on {network}": "QR-код адреса в сети {network}",
    "Only native USDC on {network} (token {token}). Other coins are not accepted.": (
        "Только USDC в сети {network} (токен {token}). Другие монеты не принимаются."
    ),
    "From a Proton Pay balance": "С баланса Proton Pay",
    "At once and without a fee, with the API:": "Мгновенно и без комиссии, через API:",
    "From an exchange": "С биржи",
    "Exchanges take their fee off the amount: send so much that the whole amount arrives.": (
        "Биржа вычитает комиссию из суммы: отправьте столько, чтобы пришла вся сумма."
    ),
    "What has arrived": "Что поступило",
    "What was given back": "Что возвращено",
    "waiting for the network": "ждём подтверждения сети",
    "received": "получено",
    "under review": "на проверке",
    "Copy": "Копировать",
    "Copied": "Скопировано",
    "We cannot check right now. If you have paid, nothing is lost.": (
        "Сейчас не удаётся проверить. Если вы уже заплатили, деньги не потеряны."
    ),
    "received after the end": "получено после срока",
    "on its way back": "возвращается",
    "given back": "возвращено",
    "Proton Pay balance": "Баланс Proton Pay",
    "to a wallet": "на кошелёк",
    "Details": "Подробности",
    "Invoice id": "Номер счёта",
    "Created": "Выставлен",
    "Seller": "Продавец",
    "This page looks again every {seconds} seconds.": "Страница обновляется каждые {seconds} с.",
    "Pause": "Приостановить",
    "The page does not look again by itself.": "Страница сама не обновляется.",
    "Resume": "Возобновить",
    # what letters lead to
    "Back to Proton Pay": "На главную Proton Pay",
    "This address is not whole. Open the link in the letter again.": (
        "Адрес скопирован не полностью. Откройте ссылку из письма ещё раз."
    ),
    "New password": "Новый пароль",
    "Confirm your e-mail address": "Подтвердите адрес электронной почты",
    "One more click, and this address is proved to be yours.": (
        "Ещё один щелчок, и адрес будет подтверждён."
    ),
    "Confirm the address": "Подтвердить адрес",
    "The address is confirmed": "Адрес подтверждён",
    "You can close this page.": "Страницу можно закрыть.",
    "Choose a new password": "Выберите новый пароль",
    "At least 12 characters. Every device is signed out.": (
        "Не меньше 12 символов. Сеансы на всех устройствах завершатся."
    ),
    "Set the password": "Задать пароль",
    "The password is set": "Пароль задан",
    "Sign in with it now.": "Теперь войдите с ним.",
    "Stop the account?": "Остановить аккаунт?",
    "Nothing leaves it from then on, and everybody is signed out. What comes in is credited.": (
        "Вывод средств прекратится, все сеансы завершатся. Поступления будут зачисляться."
    ),
    "Stop the account": "Остановить аккаунт",
    "The account is stopped": "Аккаунт остановлен",
    "Choose a new password, then write to support.": (
        "Выберите новый пароль и напишите в поддержку."
    ),
}


def chosen() -> str:
    """Return the language of a page: of its address, as chosen before, or what the browser asks."""
    for told in (request.args.get(SWITCH), request.cookies.get(SWITCH)):
        if told in LANGUAGES:
            return told
    return request.accept_languages.best_match(LANGUAGES, LANGUAGES[0]) or LANGUAGES[0]


def speaker(language: str) -> Say:
    """Return what says a sentence in a language, with values in place of its names."""

    def say(sentence: str, **values: object) -> str:
        said = IN_RUSSIAN.get(sentence, sentence) if language == "ru" else sentence
        return said.format(**values)

    return say
