"""What who builds on the API reads of keys in use and endpoints that answer."""

from protonpay.portal.catalogue.counted import Sentences, counted

IN_RUSSIAN: Sentences = {
    "What changed": "Что изменилось",
    "Since the event before it of the same thing:": "По сравнению с прошлым событием о том же:",
    "Member": "Поле",
    "Before": "Было",
    "After": "Стало",
    "Nothing: it says the same.": "Ничего: в нём то же самое.",
    "In thirty days": "За 30 дней",
    "Usual ones:": "Готовые наборы:",
    "Read only": "Только чтение",
    "Payouts": "Выплаты",
    "Healthy": "Отвечает",
    "Failing": "Не отвечает",
    "since": "с",
    "until": "до",
    "3 days": "3 дня",
    "Older key": "Прежний ключ",
    "anywhere": "откуда угодно",
    "Made on": "Создан",
    "Its requests": "Запросы с этим ключом",
    "All else of it stays. Change over while the old one still opens: it ends by itself.": (
        "Всё остальное сохраняется. Замените ключ, пока действует прежний: он отключится сам."
    ),
    "The old one still opens for": "Прежний действует ещё",
    "If somebody has found it: no time.": "Если ключ утёк, выберите «нисколько».",
    "At once and for good, older ones too.": "Сразу и навсегда, вместе с прежними.",
    "The old one, {prefix}…, still opens until": "Прежний, {prefix}…, действует до",
    "In 24 hours {percent}% was taken, 95 of 100 within {milliseconds} ms": (
        "За 24 часа принято {percent}\u00a0%, 95 из 100 за {milliseconds} мс"
    ),
    "Attempts by hour": "Попытки по часам",
    "Taken": "Принято",
    "Not taken": "Не принято",
    "How long it took to answer, by hour": "Сколько занял ответ, по часам",
    "95 of 100 took at most": "95 из 100 заняли не больше",
    "ms": "мс",
    "You switched it off.": "Вы его выключили.",
    "It said that it is gone (410).": "Он ответил, что его больше нет (410).",
    "Nothing reached it for three days.": "Три дня до него ничего не доходило.",
    "See the balance": "Видеть баланс",
    "See what happened": "Видеть операции",
    "Ask for deposits": "Запрашивать пополнения",
    "Withdraw money": "Выводить деньги",
    "Transfer money": "Переводить деньги",
    "Make and manage invoices": "Выставлять счета и управлять ими",
    "Manage webhooks": "Управлять вебхуками",
    "Standard": "Стандартный",
    "Its address leads to where we do not go.": "Его адрес ведёт туда, куда мы не ходим.",
}

COUNTED = dict(
    [
        counted(
            ("{count} request in thirty days", "{count} requests in thirty days"),
            (
                "{count} запрос за тридцать дней",
                "{count} запроса за тридцать дней",
                "{count} запросов за тридцать дней",
                "{count} запроса за тридцать дней",
            ),
        ),
        counted(
            ("{count} hour", "{count} hours"),
            ("{count} час", "{count} часа", "{count} часов", "{count} часа"),
        ),
        counted(
            ("{count} minute", "{count} minutes"),
            ("{count} минута", "{count} минуты", "{count} минут", "{count} минуты"),
        ),
        counted(
            ("{count} second", "{count} seconds"),
            ("{count} секунда", "{count} секунды", "{count} секунд", "{count} секунды"),
        ),
    ]
)
