"""Invoices on their way to who shall pay them."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "E-mail it": "Отправить по почте",
    "A letter from us with the address of its pay page. What it is for is read there.": (
        "Письмо от нас с адресом страницы оплаты. За что счёт, сказано на ней."
    ),
    "E-mail address of who pays": "Эл. почта плательщика",
    "Language of the letter": "Язык письма",
    "Send the letter": "Отправить письмо",
    "The letter is on its way.": "Письмо отправлено.",
    "Sent to": "Отправлен",
    "Preview": "Предпросмотр",
    "As its payer will see it": "Так его увидит плательщик",
}
