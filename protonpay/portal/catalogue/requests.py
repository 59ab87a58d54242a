"""Words of the requests that API keys made."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "Requests": "Запросы",
    "What your API keys asked, for thirty days. A request is here a second or two after its answer.": (  # noqa: E501 - one sentence is one key
        "Что спрашивали ваши ключи API за тридцать дней. Запрос виден через секунду-две после"
        " ответа."
    ),
    "Most refused in seven days": "Что чаще отклоняли за 7 дней",
    "Times": "Раз",
    "Route": "Маршрут",
    "Last": "Последний раз",
    "Outcome": "Результат",
    "Succeeded": "Успешно",
    "Refused": "Отклонено",
    "Failed on our side": "Ошибка на нашей стороне",
    "Took": "Заняло",
    "Revoked": "Отозван",
    "Make a key and send the first request with it.": (
        "Создайте ключ и отправьте с ним первый запрос."
    ),
    "Back to the requests": "К запросам",
    "Path": "Путь",
    "Request id": "Номер запроса",
    "Look it up": "Найти запрос",
    "Only requests of API keys are kept, for thirty days. Of any other, tell us its id.": (
        "Хранятся только запросы ключей API, тридцать дней. О любом другом сообщите нам его номер."
    ),
    "Idempotency key": "Ключ идемпотентности",
    "Sent from": "Отправлено с",
    "There was none, or it was not read, or it is too long to be kept.": (
        "Его не было, или его не прочли, или он слишком длинный, чтобы его хранить."
    ),
    "A good answer is not kept.": "Успешные ответы не хранятся.",
}
