"""What we say of invoices, in Russian."""

from collections.abc import Mapping

OF_INVOICES: Mapping[str, str] = {
    "There is no such invoice.": "Такого счёта нет.",
    "Invoices are in USDC.": "Счета выставляются в USDC.",
    "The tolerance must be smaller than the amount.": "Допуск должен быть меньше суммы.",
    "It can be paid until later than that already.": "Срок оплаты и так истекает позже.",
    "It can be paid for 90 days at most, from when it was made.": (
        "Счёт можно оплатить не позже чем через 90 дней после создания."
    ),
    "Letters, digits, '_', '.' and '-', 40 at most, a letter first.": (
        "Латинские буквы, цифры, '_', '.' и '-', не больше 40, первой — буква."
    ),
    "This invoice is your own.": "Это ваш собственный счёт.",
    "This invoice cannot be paid now.": "Этот счёт сейчас нельзя оплатить.",
    "Must be an http or https address with a host and without credentials.": (
        "Нужен адрес http или https с узлом и без учётных данных."
    ),
    "Must be an origin: scheme, host and port, without a path.": (
        "Нужен источник: схема, узел и порт, без пути."
    ),
    "A card payment is being processed.": "Платёж картой обрабатывается.",
    "This card page has ended. Try again.": "Эта страница оплаты картой закрыта. Попробуйте снова.",
    "A payment on chain is being confirmed.": "Платёж в сети подтверждается.",
    "This invoice is paid.": "Этот счёт оплачен.",
    "This invoice has expired.": "Срок оплаты этого счёта истёк.",
    "This invoice is cancelled.": "Этот счёт отменён.",
    "What was paid for this invoice was given back.": "Оплата этого счёта возвращена.",
    "A wallet needs both walletAddress and network.": (
        "Для кошелька нужны и walletAddress, и network."
    ),
    "There is nothing that can be given back now.": "Сейчас возвращать нечего.",
    "This was not paid from a balance: say walletAddress and network.": (
        "Оплата была в сети: укажите walletAddress и network."
    ),
    "At most {limit} USDC can be given back this way.": (
        "Таким способом можно вернуть не более {limit} USDC."
    ),
    "The rest of this invoice cannot be asked for now.": (
        "Сейчас счёт на остаток запросить нельзя."
    ),
    "There is nothing to accept now.": "Сейчас принимать нечего.",
    "There is no more time for this invoice now.": "Больше времени для этого счёта сейчас нет.",
    "There is nothing that can be asked back now.": "Сейчас нечего просить вернуть.",
    "It was asked back already, and is not decided yet.": (
        "Возврат уже запрошен, решения пока нет."
    ),
    "Less can be given back by now than this claim asks for: decline it.": (
        "Теперь можно вернуть меньше, чем просит этот запрос: отклоните его."
    ),
    "There is no such claim of this invoice.": "У этого счёта нет такого запроса на возврат.",
    "This claim is decided already.": "По этому запросу уже есть решение.",
    "A claim says itself how much goes back, and where to.": (
        "Запрос сам называет сумму возврата и куда её отправить."
    ),
    "There is no hash of a transaction in this.": "Здесь нет хеша транзакции.",
    "No more transactions are looked up for this invoice.": (
        "Для этого счёта больше не ищем транзакции."
    ),
}
