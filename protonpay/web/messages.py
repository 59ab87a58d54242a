"""What we say to people in each language: one catalogue, found by the English sentence.

A refusal carries its sentence with ``{names}`` and the values apart; the catalogue has the same
names. Texts that a library has already put together (``Length must be between 1 and 100.``) are
recognised by the sentence they were made from. What has no translation stays English; a test
walks the code and finds it.
"""

import re
from collections.abc import Mapping
from typing import Any

from flask import request

from protonpay.web.russian_of_accounts import OF_ACCOUNTS
from protonpay.web.russian_of_invoices import OF_INVOICES
from protonpay.web.russian_of_teams import OF_TEAMS
from protonpay.web.russian_of_test_mode import OF_TEST_MODE

ENGLISH, RUSSIAN = "en", "ru"
LANGUAGES = (ENGLISH, RUSSIAN)
"""The first one is spoken to who asks for none, or for none of these."""

_TAG_PARTS = re.compile("[-_]")

IN_RUSSIAN: Mapping[str, str] = {
    **OF_ACCOUNTS,
    **OF_INVOICES,
    **OF_TEAMS,
    **OF_TEST_MODE,
    # of the protocol
    "Bad Request.": "Неверный запрос.",
    "Unauthorized.": "Нужна авторизация.",
    "Forbidden.": "Доступ запрещён.",
    "Not Found.": "Не найдено.",
    "Method Not Allowed.": "Метод не поддерживается.",
    "Request Timeout.": "Время ожидания запроса истекло.",
    "Length Required.": "Нужен заголовок Content-Length.",
    "Request Entity Too Large.": "Тело запроса слишком велико.",
    "Content Too Large.": "Тело запроса слишком велико.",
    "Request-URI Too Long.": "Адрес запроса слишком длинный.",
    "URI Too Long.": "Адрес запроса слишком длинный.",
    "Unsupported Media Type.": "Тип содержимого не поддерживается.",
    "Too Many Requests.": "Слишком много запросов.",
    "Request Header Fields Too Large.": "Заголовки запроса слишком велики.",
    "Service Unavailable.": "Сервис недоступен.",
    "Something went wrong on our end.": "На нашей стороне произошла ошибка.",
    "The service is busy. Try again.": "Сервис перегружен. Повторите попытку.",
    "Too many files are being written. Try again.": (
        "Сейчас готовится слишком много файлов. Повторите попытку."
    ),
    "The answer was lost. Look whether it was done before asking again.": (
        "Ответ потерян. Прежде чем повторять, проверьте, выполнена ли операция."
    ),
    "There is no such page.": "Такой страницы нет.",
    "At most {limit} requests in {span} seconds.": "Не более {limit} запросов за {span} с.",
    # of a request
    "The request is not valid.": "Запрос составлен неверно.",
    "The body is not valid JSON.": "Тело запроса не является корректным JSON.",
    "The body must be a JSON object.": "Тело запроса должно быть объектом JSON.",
    "Unknown field.": "Неизвестное поле.",
    "Given more than once.": "Указано несколько раз.",
    "Missing data for required field.": "Обязательное поле не заполнено.",
    "Field may not be null.": "Поле не может быть null.",
    "Invalid value.": "Недопустимое значение.",
    "Invalid input type.": "Неверный тип данных.",
    "Invalid type.": "Неверный тип.",
    "Not a valid string.": "Не строка.",
    "Not a valid utf-8 string.": "Не строка в кодировке UTF-8.",
    "Not a valid integer.": "Не целое число.",
    "Not a valid number.": "Не число.",
    "Number too large.": "Слишком большое число.",
    "Not a valid boolean.": "Не true и не false.",
    "Not a valid list.": "Не список.",
    "Shorter than minimum length {min}.": "Короче минимальной длины {min}.",
    "Longer than maximum length {max}.": "Длиннее максимальной длины {max}.",
    "Length must be between {min} and {max}.": "Длина должна быть от {min} до {max}.",
    "Length must be {equal}.": "Длина должна быть равна {equal}.",
    "Must be greater than or equal to {min} and less than or equal to {max}.": (
        "Должно быть от {min} до {max}."
    ),
    "Must be one of: {choices}.": "Допустимые значения: {choices}.",
    "Not a number.": "Не число.",
    "Not a number of the event log.": "Не номер журнала событий.",
    "Not a whole number above zero.": "Не целое число больше нуля.",
    "Not an exact amount with at most six decimals.": (
        "Укажите сумму числом, не больше шести знаков после точки."
    ),
    "Not an exact amount of this currency.": "В этой валюте столько знаков после точки не бывает.",
    "Search for an id, a transaction, an address, an e-mail or an amount.": (
        "Ищите номер, транзакцию, адрес, почту или сумму."
    ),
    "Must be greater than zero.": "Должно быть больше нуля.",
    "Must not be less than minAmount.": "Не меньше чем minAmount.",
    "Too long.": "Слишком длинно.",
    "Must not hold U+0000.": "Не должно содержать U+0000.",
    "Not a valid e-mail address.": "Не адрес электронной почты.",
    "Not a moment such as 2026-03-14T12:00:00Z.": "Не момент времени вида 2026-03-14T12:00:00Z.",
    "Not a day such as 1990-01-31.": "Не дата вида 1990-01-31.",
    "Only adults can be checked.": "Проверка доступна только совершеннолетним.",
    "Not a country code such as AE.": "Не код страны вида AE.",
    "Not an IANA time zone such as Asia/Dubai.": "Не часовой пояс IANA вида Asia/Dubai.",
    "This cursor does not belong to this list.": "Этот курсор не относится к этому списку.",
    "This is not a cursor.": "Это не курсор.",
    "There is no such deposit, withdrawal or transfer.": (
        "Такого пополнения, вывода или перевода нет."
    ),
    "There is no statement of this month.": "За этот месяц выписки нет.",
    "This month has {lines} lines; so it has at most {limit}. Ask for CSV.": (
        "В этом месяце {lines} строк, в таком виде не более {limit}. Запросите CSV."
    ),
    # of accounts
    "Send an access token.": "Передайте токен доступа.",
    "Send Authorization: Bearer and a token.": "Передайте заголовок Authorization: Bearer и токен.",
    "The token is not valid.": "Токен недействителен.",
    "The token has expired.": "Срок действия токена истёк.",
    "The session has ended. Sign in again.": "Сеанс завершён. Войдите снова.",
    "This refresh token was used before.": "Этот токен обновления уже был использован.",
    "E-mail address or password is wrong.": "Неверный адрес электронной почты или пароль.",
    "This e-mail address has an account already.": (
        "С этим адресом электронной почты уже есть аккаунт."
    ),
    "Use {shortest} to {longest} characters.": "Используйте от {shortest} до {longest} символов.",
    "This password is easily guessed. Choose another one.": (
        "Этот пароль легко угадать. Выберите другой."
    ),
    "Too many sign-ins at once. Try again.": (
        "Слишком много входов одновременно. Повторите попытку."
    ),
    "Too many failed sign-ins to this account. Try again later.": (
        "Слишком много неудачных попыток входа в этот аккаунт. Повторите попытку позже."
    ),
    "Withdrawals are frozen, as the owner of this account asked. Write to support.": (
        "Вывод средств остановлен по просьбе владельца аккаунта. Напишите в поддержку."
    ),
    "This link was used or replaced, or its time is over. Ask for a new one.": (
        "Ссылка уже использована, заменена или устарела. Запросите новую."
    ),
    "Too many letters were asked for. Try again later.": (
        "Запрошено слишком много писем. Повторите позже."
    ),
    "This e-mail address is verified already.": "Этот адрес электронной почты уже подтверждён.",
    "This is the address of an invoice of your own.": "Это адрес вашего собственного счёта.",
    "This is your own deposit address.": "Это ваш собственный адрес пополнения.",
    "This delivery is on its way already.": "Эта доставка уже выполняется.",
    "The span must be above zero and of at most 14 days.": (
        "Промежуток должен быть больше нуля и не длиннее 14 дней."
    ),
    "At most {limit} test events an hour.": "Не более {limit} тестовых событий в час.",
    "This endpoint is disabled. Enable it first.": "Этот адрес отключён. Сначала включите его.",
    "There is no such delivery.": "Такой доставки нет.",
    "At most {limit} secrets at once. Wait until the oldest one ends.": (
        "Не более {limit} секретов одновременно. Дождитесь окончания самого старого."
    ),
    "The password is wrong.": "Неверный пароль.",
    "There is no such session.": "Такого сеанса нет.",
    "This account is suspended.": "Аккаунт приостановлен.",
    "Verify your e-mail address first.": "Сначала подтвердите адрес электронной почты.",
    "There is no such challenge.": "Такого запроса подписи нет.",
    "This challenge is over. Ask for a new one.": (
        "Этот запрос подписи больше не действует. Запросите новый."
    ),
    "This is not the wallet's signature under the message of the challenge.": (
        "Это не подпись этого кошелька под текстом запроса."
    ),
    "This wallet is linked already.": "Этот кошелёк уже привязан.",
    "At most {limit} wallets.": "Не более {limit} кошельков.",
    "There is no such wallet.": "Такого кошелька нет.",
    "This address is not in your address book.": "Этого адреса нет в вашей адресной книге.",
    "This address is new in your address book. It can be paid from {moment} on.": (
        "Этот адрес недавно внесён в адресную книгу. Вывод на него возможен с {moment}."
    ),
    "This address is in your book already.": "Этот адрес уже есть в вашей адресной книге.",
    "At most {limit} addresses.": "Не более {limit} адресов.",
    "There is no such address.": "Такого адреса нет.",
    "This plan needs an approved identity check first.": (
        "На этом тарифе сначала нужно пройти проверку личности."
    ),
    "There is no such user.": "Такого пользователя нет.",
    "Your identity check is being looked at, or has been approved.": (
        "Ваша проверка личности рассматривается или уже пройдена."
    ),
    "There is no identity check of this user.": "У этого пользователя нет проверки личности.",
    "This identity check does not wait for a decision.": (
        "Эта проверка личности не ожидает решения."
    ),
    # of money
    "The balance does not cover this amount.": "На балансе недостаточно средств.",
    "This is less than a millionth of a USDC.": "Это меньше миллионной доли USDC.",
    "This is more USDC than there can be.": "Это больше USDC, чем может быть.",
    "Choose another network.": "Выберите другую сеть.",
    "Choose {networks} or {last}.": "Выберите {networks} или {last}.",
    "At most {limit} USDC in one withdrawal.": "Не более {limit} USDC за один вывод.",
    "At most {limit} USDC in 24 hours.": "Не более {limit} USDC за 24 часа.",
    "Next withdrawal is possible in {seconds} seconds.": (
        "Следующий вывод возможен через {seconds} с."
    ),
    "There is no such payout.": "Такого вывода нет.",
    "There is no such deposit.": "Такого пополнения нет.",
    "There is no such transfer.": "Такого перевода нет.",
    "Nobody has this e-mail address or public id.": (
        "Нет пользователя с таким адресом электронной почты или публичным номером."
    ),
    "A transfer needs another user.": "Перевод возможен только другому пользователю.",
    "An address on this network is 0x and 40 hex digits.": (
        "Адрес в этой сети — это 0x и 40 шестнадцатеричных цифр."
    ),
    "The address has a typing error: its checksum is wrong.": (
        "В адресе опечатка: неверна контрольная сумма."
    ),
    "This address belongs to the network itself.": "Этот адрес принадлежит самой сети.",
    "An address on Solana is 32 bytes in base58.": "Адрес в Solana — это 32 байта в base58.",
    "This address belongs to a program: give the wallet that owns it.": (
        "Этот адрес принадлежит программе: укажите кошелёк её владельца."
    ),
    "This is the address of a token, not of a wallet.": "Это адрес токена, а не кошелька.",
    "This is a wallet of Proton Pay itself.": "Это кошелёк самого Proton Pay.",
    # of cards
    "Choose one of: {providers}.": "Выберите одно из: {providers}.",
    "This provider takes {currencies}.": "Этот провайдер принимает {currencies}.",
    "This provider is not set up here.": "Этот провайдер здесь не настроен.",
    "The payment provider does not answer. Try again.": (
        "Платёжный провайдер не отвечает. Повторите попытку."
    ),
    "This deposit is not on hold.": "Это пополнение не задержано.",
    "There is no such payment.": "Такого платежа нет.",
    "This payment is not on hold.": "Этот платёж не задержан.",
    "No provider takes this currency.": "Эту валюту не принимает ни один провайдер.",
    "This withdrawal can no longer be cancelled.": "Этот вывод уже нельзя отменить.",
    "Its owner has taken it back.": "Владелец отменил его.",
    "This payout is not on hold.": "Эта выплата не задержана.",
    "Nothing of this id is on hold.": "С таким идентификатором ничего не задержано.",
    "The network does not name its sender.": "Сеть не называет отправителя.",
    "The payment provider is paused here. Try again later.": (
        "Платёжный провайдер здесь приостановлен. Повторите попытку позже."
    ),
    "The payment provider is not set up correctly here.": (
        "Платёжный провайдер здесь настроен неверно."
    ),
    "The payment provider does not take this payment.": (
        "Платёжный провайдер не принимает этот платёж."
    ),
    "This callback is not authentic.": "Этот обратный вызов не подлинный.",
    "There is no source of rates for {currency}.": "Нет источника курса для {currency}.",
    "There is no current rate for {currency}. Try again.": (
        "Нет актуального курса для {currency}. Повторите попытку."
    ),
    # of webhooks
    "This address is registered already.": "Этот адрес уже зарегистрирован.",
    "At most {limit} endpoints.": "Не более {limit} адресов.",
    "Unknown event: {name}.": "Неизвестное событие: {name}.",
    "An event is named twice.": "Событие названо дважды.",
    "There is no such event.": "Такого события нет.",
    "There is no such webhook endpoint.": "Такого адреса для уведомлений нет.",
    "An address has at most 2048 characters.": "В адресе не более 2048 символов.",
    "The address must begin with https://.": "Адрес должен начинаться с https://.",
    (
        "Give an address such as https://example.com/webhooks: plain ASCII, without a "
        "user name, spaces or a fragment."
    ): (
        "Укажите адрес вида https://example.com/webhooks: только ASCII, без имени "
        "пользователя, пробелов и фрагмента."
    ),
    "The port must be 443 or 8443.": "Порт должен быть 443 или 8443.",
    "The host must be a public domain name, not an IP address.": (
        "Хост должен быть публичным доменным именем, а не IP-адресом."
    ),
    "Nothing is sent to that host.": "На этот хост ничего не отправляется.",
    # of API keys
    "API keys may not do this. Sign in.": "API-ключам это недоступно. Войдите в аккаунт.",
    "This needs an API key with {scopes}.": "Нужен API-ключ с правами {scopes}.",
    "Send an access token or an API key.": "Передайте токен доступа или API-ключ.",
    "Send Authorization: Bearer and a token or a key.": (
        "Передайте Authorization: Bearer и токен или ключ."
    ),
    "This is not an API key of ours.": "Это не наш API-ключ.",
    "This API key was revoked.": "Этот API-ключ отозван.",
    "This API key has expired.": "Срок действия этого API-ключа истёк.",
    "This API key may not be used from this address.": (
        "Этот API-ключ нельзя использовать с этого адреса."
    ),
    "There is no such key.": "Такого ключа нет.",
    "There is no such request.": "Такого запроса нет.",
    "At most {limit} live keys: revoke one.": "Не более {limit} действующих ключей: отзовите один.",
    "expiresAt must be in the future.": "expiresAt должно быть в будущем.",
    'Must be "full" or a list of scopes.': 'Должно быть "full" или список прав.',
    "A scope is named twice.": "Право указано дважды.",
    "A network is named twice.": "Сеть указана дважды.",
    "Not a network (203.0.113.0/24, 2001:db8::/32).": (
        "Не адрес сети (203.0.113.0/24, 2001:db8::/32)."
    ),
    # of proofs of liabilities
    "No proof of liabilities has been published yet.": (
        "Доказательство обязательств ещё не опубликовано."
    ),
    "The newest proof of liabilities is older than this account. The next one has it.": (
        "Последнее доказательство обязательств старше этой учётной записи. Она войдёт в следующее."
    ),
    "Another head was taken at the same time.": "Одновременно было снято другое состояние книги.",
    "The book is being sealed. Try again.": "Книга запечатывается. Повторите попытку.",
    # of idempotency keys
    "Idempotency-Key is one key of 1 to 255 visible ASCII characters.": (
        "Idempotency-Key — один ключ из 1–255 видимых символов ASCII."
    ),
    "A request with this Idempotency-Key is being worked on. Ask again.": (
        "Запрос с этим Idempotency-Key ещё выполняется. Повторите позже."
    ),
    "This Idempotency-Key was used for another request.": (
        "Этот Idempotency-Key использован для другого запроса."
    ),
    "This deposit has ended without a page. Use another Idempotency-Key.": (
        "Это пополнение завершилось без страницы оплаты. Используйте другой Idempotency-Key."
    ),
    # of deposits under review, which operators decide
    "This deposit is not under review.": "Это пополнение не на проверке.",
    "The payment provider refuses: {reason}.": "Платёжный провайдер отказывает: {reason}.",
    "The payment is {what}.": "Платёж не подходит: {what}.",
    "The payment is worth nothing.": "Этот платёж ничего не стоит.",
    # of deposit addresses
    "No deposit address is free right now. Try again in a moment.": (
        "Сейчас нет свободного адреса. Повторите попытку через минуту."
    ),
    "This address cannot be shown. Nothing was done.": (
        "Этот адрес нельзя показать. Ничего не изменено."
    ),
}


def _as_pattern(sentence: str) -> re.Pattern[str]:
    literal = re.split(r"(\{[a-z_]+\})", sentence)
    parts = [f"(?P<{p[1:-1]}>.*)" if p.startswith("{") else re.escape(p) for p in literal]
    return re.compile("".join(parts), re.DOTALL)


_PUT_TOGETHER = tuple(
    (_as_pattern(english), russian) for english, russian in IN_RUSSIAN.items() if "{" in english
)


def language() -> str:
    """Return which of our languages the caller reads best (RFC 9110 §12.5.4).

    A range of a country stands for its language; ``*`` for those that are not named.
    """
    asked = [(_TAG_PARTS.split(tag)[0].lower(), q) for tag, q in request.accept_languages]
    named = {tag for tag, _ in asked}
    for tag, _ in sorted((pair for pair in asked if pair[1] > 0), key=lambda pair: -pair[1]):
        fitting = [one for one in LANGUAGES if one == tag or (tag == "*" and one not in named)]
        if fitting:
            return fitting[0]
    return ENGLISH


def say(sentence: str, to: str, values: Mapping[str, object]) -> str:
    """Return a sentence in a language, with its values.

    Args:
        sentence: in English, with ``{names}`` if there are values; or put together already.
        to: the language.
        values: what stands in the names.
    """
    if to == RUSSIAN:
        known = IN_RUSSIAN.get(sentence)
        if known is None and not values:
            return _put_together(sentence)
        sentence = known or sentence
    return sentence.format(**values) if values else sentence


def say_each(texts: Any, to: str) -> Any:
    """Return location → field → messages with every message in a language."""
    if isinstance(texts, Mapping):
        return {key: say_each(value, to) for key, value in texts.items()}
    if isinstance(texts, list):
        return [say_each(value, to) for value in texts]
    return say(texts, to, {}) if isinstance(texts, str) else texts


def _put_together(text: str) -> str:
    for pattern, russian in _PUT_TOGETHER:
        found = pattern.fullmatch(text)
        if found is not None:
            return russian.format(**found.groupdict())
    return text
