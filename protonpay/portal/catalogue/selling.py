"""Invoices on their way to who shall pay them."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "Still due": "Осталось",
    "E-mail it": "Отправить по почте",
    "An e-mail from us with the link to its pay page. What it is for is read there.": (
        "Письмо от нас с адресом страницы оплаты. За что счёт, сказано на ней."
    ),
    "E-mail address of who pays": "Эл. почта плательщика",
    "Language of the e-mail": "Язык письма",
    "Send the e-mail": "Отправить письмо",
    "The e-mail is on its way.": "Письмо отправлено.",
    "Sent to": "Отправлен",
    "Pay the rest": "Доплатить",
    "{seller} has issued an invoice for the rest: {rest} USDC. Pay on its page.": (
        "{seller} выставляет счёт на остаток: {rest} USDC. Оплатите на его странице."
    ),
    "Pay {rest} USDC": "Оплатить {rest} USDC",
    "{rest} USDC is missing. Ask {seller} for another invoice: this page will lead to it.": (
        "Не хватает {rest} USDC. Попросите ещё один счёт у {seller}: эта страница приведёт к нему."
    ),
    "Ask for an invoice for the rest": "Попросить счёт на остаток",
    "Asked for the rest": "Счёт на остаток запрошен",
    "On {at} {seller} was asked for an invoice. Keep this page: it will lead to it.": (
        "{at} у {seller} запрошен счёт. Сохраните эту страницу: она приведёт к нему."
    ),
    "Its payer asked for an invoice for the rest": "Плательщик просит счёт на остаток",
    "Preview": "Предпросмотр",
    "As its payer will see it": "Так его увидит плательщик",
    "Advanced": "Дополнительно",
    "Where its payer goes back to": "Куда вернуть плательщика",
    "Once it is paid, with its id. That proves no payment: wait for the webhook.": (
        "После оплаты, с идентификатором счёта. Это не доказывает оплату: дождитесь вебхука."
    ),
    "Your site that shows its page in a frame": "Ваш сайт, который показывает страницу во фрейме",
    "No other site may show it in one.": "Другие сайты не смогут показать её во фрейме.",
    "Its payer may not take more time.": "Плательщик не может продлить срок.",
    "Your own data": "Ваши данные",
    "For your programs: a name=text on each line, as in order=1042. Its payer does not see it.": (
        "Для ваших программ: на каждой строке имя=текст, например order=1042. Плательщик этого не"
        " видит."
    ),
    "Write a name=text on each line, each name once.": (
        "На каждой строке — имя=текст, каждое имя один раз."
    ),
    "Your note": "Ваша заметка",
    "Write a note": "Написать заметку",
    "Change your note": "Изменить заметку",
    "For you and your team. Its payer never sees it.": (
        "Для вас и вашей команды. Плательщик её не видит."
    ),
    "Keep the note": "Сохранить заметку",
    "The note is kept.": "Заметка сохранена.",
    "Give it more time": "Продлить срок",
    "Its link and its addresses stay. It can be paid for 90 days at most, from when it was made.": (
        "Ссылка и адреса останутся прежними. Оплатить счёт можно не позже чем через 90 дней после"
        " создания."
    ),
    "Payable for another": "Продлить на",
    "Prolong it": "Продлить",
    "The invoice can be paid for longer.": "Срок оплаты счёта продлён.",
    "What your programs were told": "О чём узнали ваши программы",
}
