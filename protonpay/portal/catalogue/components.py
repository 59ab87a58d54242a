"""The page of components."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "Components": "Компоненты",
    "Charts": "Графики",
    "By card": "Картой",
    "Withdrawn": "Выведено",
    "Balance over time": "Баланс во времени",
    "Money in and out, by day": "Поступления и выводы по дням",
    "Requests": "Запросы",
    "What became of invoices": "Чем закончились счета",
    "A chart of nothing": "График без данных",
    "A chart of one moment": "График из одной точки",
    "Withdrawn today": "Выведено сегодня",
}
