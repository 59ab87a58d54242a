"""The front door, and the way back from a card provider."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "Custodial USDC accounts that anyone can run": "Кастодиальные счета в USDC на своём сервере",
    "Top up by card, pay other users at once, withdraw to {networks} or {last}, and drive all of it over one REST API with signed webhooks.": (  # noqa: E501 - one sentence is one key
        "Пополняйте картой, мгновенно платите другим, выводите в сети {networks} или {last} и "
        "управляйте всем через единый REST API с подписанными вебхуками."
    ),
    "Portal": "Портал",
    "Balance, withdrawals, invoices, keys": "Баланс, выводы, счета, ключи",
    "Every call, with examples in three languages": "Все вызовы, примеры на трёх языках",
    "Every call, tried from the browser": "Любой вызов прямо из браузера",
    "For client generators": "Для генераторов клиентов",
    "Readiness": "Готовность",
    "Database, queue, workers, chains": "База, очередь, обработчики, сети",
    "First call": "Первый вызов",
    "The amount is in your balance.": "Сумма зачислена на ваш баланс.",
    "This could not be done. Go back and try again.": (
        "Это не удалось. Вернитесь и попробуйте ещё раз."
    ),
    "Too large": "Слишком много",
    "More was sent than this page takes. Go back and send less.": (
        "Отправлено больше, чем принимает эта страница. Вернитесь и отправьте меньше."
    ),
    "Too many requests": "Слишком часто",
    "Wait a minute, then try again. Nothing was lost.": (
        "Подождите минуту и попробуйте ещё раз. Ничего не потеряно."
    ),
    "Something went wrong on our side": "Ошибка у нас",
    "It is written down here. Try again; if it stays, tell us the request's number.": (
        "Мы её записали. Попробуйте ещё раз; если повторится, сообщите нам номер запроса."
    ),
    "We are busy, and nothing was done. Try again in a moment.": (
        "Мы перегружены, ничего не сделано. Попробуйте ещё раз чуть позже."
    ),
    "Not paid": "Не оплачено",
    "The provider did not take the payment. Nothing was charged.": (
        "Провайдер не принял платёж. Деньги не списаны."
    ),
    "This payment page has expired. Nothing was charged.": (
        "Срок платёжной страницы истёк. Деньги не списаны."
    ),
    "We are checking": "Проверяем",
    "The provider is being asked. Do not pay again.": (
        "Спрашиваем провайдера. Не платите повторно."
    ),
}
