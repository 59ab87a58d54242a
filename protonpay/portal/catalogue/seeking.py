"""Words of the search."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "Search": "Поиск",
    "What to look for": "Что вам известно",
    "An id, a transaction, an address, an e-mail, an amount, or how one begins.": (
        "Номер, транзакция, адрес, почта, сумма или их начало."
    ),
    "Payments of invoices": "Платежи по счетам",
    "Transfers": "Переводы",
    "Refunds": "Возвраты",
    "All activity with it": "Вся история с этим",
    "Nothing of yours matches this.": "По этому ничего вашего не нашлось.",
    "The activity is searched in the middle of notes and names, too.": (
        "В истории ищут и в середине примечаний и имён."
    ),
}
