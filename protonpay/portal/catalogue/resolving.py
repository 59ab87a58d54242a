"""What an invoice's owner decides: refunds that are asked for, what came short or late."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "A refund is asked for": "Запрошен возврат",
    "On the pay page, {amount} USDC is asked back to this address. Whoever has the page may ask: compare it with what you know of your customer.": (  # noqa: E501 - one sentence is one key
        "На странице оплаты просят вернуть {amount} USDC на этот адрес. Попросить может любой, у"
        " кого есть страница: сверьте с тем, что вы знаете о покупателе."
    ),
    "Giving it back cancels the invoice.": "Возврат отменит счёт.",
    "Asked at": "Запрошен",
    "Give {amount} USDC back": "Вернуть {amount} USDC",
    "Decline it": "Отклонить",
    "Declined: nothing was given back.": "Отклонено: ничего не возвращено.",
    "Paid late": "Пришло после срока",
    "Underpaid": "Пришло не всё",
    "{paid} of {amount} USDC is in your balance. Accept it as paid, give it back, or ask for the rest.": (  # noqa: E501 - one sentence is one key
        "{paid} из {amount} USDC на вашем балансе. Примите как оплату, верните или запросите"
        " остаток."
    ),
    "Accept as paid": "Принять как оплату",
    "The invoice is paid.": "Счёт оплачен.",
    "Issue an invoice for the rest": "Выставить счёт на остаток",
}
