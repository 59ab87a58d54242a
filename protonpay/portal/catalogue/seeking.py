"""Words of the search."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "Search": "Поиск",
    "What to look for": "Что найти",
    "An id, a transaction, an address, an e-mail, an amount, or how one begins.": (
        "Номер, транзакция, адрес, почта, сумма или их начало."
    ),
    "Payments of invoices": "Платежи по счетам",
    "Transfers": "Переводы",
    "Refunds": "Возвраты",
    "All activity with it": "Искать во всех операциях",
    "Nothing of yours matches this.": "Ничего не найдено.",
    "The activity is searched in the middle of notes and names, too.": (
        "Поиск по операциям находит и середину примечаний и имён."
    ),
}
