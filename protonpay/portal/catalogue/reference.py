"""The API reference."""

from protonpay.portal.catalogue.counted import Counted, Sentences, counted

IN_RUSSIAN: Sentences = {
    "API reference": "Справочник API",
    "Contents": "Содержание",
    "Back to the portal": "Назад в портал",
    "Find a call": "Найти вызов",
    "Nothing found": "Ничего не найдено",
    "Authentication": "Аутентификация",
    "Base address": "Базовый адрес",
    "Other calls": "Другие вызовы",
    "Supported networks": "Поддерживаемые сети",
    "Token of USDC": "Токен USDC",
    "Card providers": "Карточные провайдеры",
    "Currencies": "Валюты",
    "Webhook events": "События вебхуков",
    "Error codes": "Коды ошибок",
    "Rate limits": "Ограничения частоты",
    "At most": "Не более",
    "{span} s": "{span} с",
    "Authentication, by address": "Аутентификация, с одного адреса",
    "Reads of an account": "Чтение, для счёта",
    "Writes of an account": "Изменения, для счёта",
    "Everything an integrator needs. Each example was run by a test, in each of its languages.": (
        "Всё, что нужно для интеграции. Каждый пример выполнен тестом на каждом из языков."
    ),
    "The descriptions are in English; the messages of errors can be had in Russian.": (
        "Описания на английском; сообщения об ошибках доступны и на русском."
    ),
    "Try the calls in Swagger UI": "Попробовать вызовы в Swagger UI",
    "Get an access token at {path}, then send it with every request. It lasts 15 minutes; the refresh token renews it for 7 days. A server uses an API key in its place.": (  # noqa: E501 - one sentence is one key
        "Получите токен доступа через {path} и отправляйте его с каждым запросом. Он действует "
        "15 минут; токен обновления продлевает его в течение 7 дней. Сервер вместо него "
        "использует ключ API."
    ),
    "Examples in": "Примеры на",
    "required": "обязательно",
    "sometimes": "не всегда",
    "Public": "Без авторизации",
    "Access token": "Токен доступа",
    "API key": "Ключ API",
    "no API key": "ключ API не подходит",
    "Headers": "Заголовки",
    "Headers of a request": "Заголовки запроса",
    "Parameters": "Параметры",
    "Request body": "Тело запроса",
    "Members of the answer": "Поля ответа",
    "Refused with": "Отказы:",
    "Answer": "Ответ",
    "Nothing but the status.": "Только статус.",
    "See its members.": "См. поля ответа.",
    "Endpoints are registered at {path}. Those marked with a star reach only endpoints that name them.": (  # noqa: E501 - one sentence is one key
        "Адреса регистрируются через {path}. Отмеченные звёздочкой приходят только тем, "
        "кто указал их сам."
    ),
    "Only for endpoints that name it": "Только для адресов, которые его указали",
    "Payload of {event}": "Тело события {event}",
    "An example": "Пример",
}
COUNTED: dict[str, Counted] = dict(
    [
        counted(
            ("{count} call", "{count} calls"),
            ("{count} вызов", "{count} вызова", "{count} вызовов", "{count} вызова"),
        ),
        counted(
            ("{count} request", "{count} requests"),
            ("{count} запрос", "{count} запроса", "{count} запросов", "{count} запроса"),
        ),
    ]
)
