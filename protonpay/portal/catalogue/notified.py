"""Words of what a person should see: the bell, its list, what each kind says."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "Notifications": "Уведомления",
    "Notifications, unread: {unread}": "Уведомления, непрочитанных: {unread}",
    "All": "Все",
    "Unread": "Непрочитанные",
    "one|Unread": "Не прочитано",
    "Mark as read": "Отметить прочитанным",
    "Mark all as read": "Отметить всё прочитанным",
    "Marked as read.": "Отмечено прочитанным.",
    "Nothing unread.": "Непрочитанного нет.",
    "What happens in your account is told here.": (
        "Здесь появится всё важное, что происходит с аккаунтом."
    ),
    "To be looked at": "Требует внимания",
    "until {moment}": "до {moment}",
    "An endpoint does not accept events.": "Вебхук не принимает события.",
    "An endpoint did not accept events and was disabled.": "Вебхук не принимал события и отключён.",
    "An API key expires soon: make a new one in time.": (
        "Срок ключа API скоро истекает: создайте новый заранее."
    ),
    "A deposit of {amount} USDC is under review.": "Пополнение на {amount} USDC проверяется.",
    "A deposit of {amount} USDC has come in.": "Пополнение на {amount} USDC зачислено.",
    "A card deposit of {amount} USDC has come in.": (
        "Пополнение картой на {amount} USDC зачислено."
    ),
    "{refundedAmount} USDC of a card deposit were given back.": (
        "Возвращено {refundedAmount} USDC пополнения картой."
    ),
    "A withdrawal of {amount} USDC has arrived.": "Вывод {amount} USDC выполнен.",
    "A withdrawal of {amount} USDC has failed. The money is in your balance again.": (
        "Вывод {amount} USDC не удался. Деньги снова на балансе."
    ),
    "You have received {amount} USDC.": "Вы получили {amount} USDC.",
    "You have sent {amount} USDC.": "Вы отправили {amount} USDC.",
    "An invoice of {amount} USDC is paid.": "Счёт на {amount} USDC оплачен.",
    "{amountPaid} of {amount} USDC of an invoice are paid.": (
        "Оплачено {amountPaid} из {amount} USDC счёта."
    ),
    "An invoice of {amount} USDC was paid, and {overpaidAmount} USDC too much.": (
        "Счёт на {amount} USDC оплачен, лишних — {overpaidAmount} USDC."
    ),
    "A payment came too late for an invoice of {amount} USDC.": (
        "Платёж по счёту на {amount} USDC пришёл после срока."
    ),
    "An invoice of {amount} USDC has expired.": "Срок счёта на {amount} USDC истёк.",
    "An invoice of {amount} USDC was cancelled.": "Счёт на {amount} USDC отменён.",
    "{refundAmount} USDC of an invoice were given back.": "Возвращено {refundAmount} USDC счёта.",
    "A payer asks for {claimAmount} USDC of an invoice back.": (
        "Плательщик просит вернуть {claimAmount} USDC счёта."
    ),
    "What you are told": "О чём вам сообщать",
    "Choose e-mails": "Выбрать письма",
    "E-mails go to the owner's address, in the language and time zone of the preferences: at most twenty about events in an hour.": (  # noqa: E501 - one sentence is one key
        "Письма идут на адрес владельца, на языке и в часовом поясе из настроек: о событиях —"
        " не больше двадцати в час."
    ),
    "By e-mail": "Письмом",
    "A chat in Telegram": "Чат в Telegram",
    "In Telegram": "В Telegram",
    "chat|Linked": "Привязан",
    "Link Telegram": "Привязать Telegram",
    "Unlink the chat": "Отвязать чат",
    "Unlinked.": "Отвязан.",
    "Open Telegram": "Открыть Telegram",
    "I have pressed Start": "Старт нажат",
    "Open the link in Telegram and press Start there. It works once, until": (
        "Откройте ссылку в Telegram и нажмите там «Старт». Она действует один раз, до"
    ),
    "The same as by e-mail, in a chat with our bot, in short.": (
        "То же, что и письмом, но коротко: в чате с нашим ботом."
    ),
    "Of passwords, devices and the team it tells always, beside the e-mail.": (
        "О паролях, устройствах и команде — всегда, вместе с письмом."
    ),
    "What is ticked in its column is told as soon as a chat is linked.": (
        "Отмеченное в его столбце начнёт приходить, как только чат будет привязан."
    ),
    "The owner of the account links it.": "Привязать чат может только владелец аккаунта.",
    "always": "всегда",
    "by endpoint": "отдельно",
    "Money in": "Поступления",
    "Money out": "Списания",
    "A deposit on chain is credited": "Зачислено пополнение из сети",
    "A card deposit is credited": "Зачислено пополнение картой",
    "A card deposit is given back": "Пополнение картой возвращено",
    "A deposit is under review": "Пополнение проверяется",
    "A withdrawal has arrived": "Вывод выполнен",
    "A withdrawal has failed": "Вывод не удался",
    "A transfer is sent or received": "Отправлен или получен перевод",
    "An invoice is paid": "Счёт оплачен",
    "An invoice is paid in part": "Счёт оплачен частично",
    "An invoice is over-paid": "По счёту пришло лишнее",
    "A payment comes too late for an invoice": "Платёж по счёту пришёл после срока",
    "A payer asks for money back": "Плательщик просит вернуть деньги",
    "An invoice is refunded": "По счёту возвращены деньги",
    "An invoice has expired": "Срок счёта истёк",
    "An invoice is cancelled": "Счёт отменён",
    "The identity check is approved": "Проверка личности пройдена",
    "The identity check is not approved": "Проверка личности не пройдена",
    "An API key is about to expire": "Срок ключа API скоро истекает",
    "An endpoint does not take events": "Вебхук не принимает события",
    "An endpoint is disabled": "Вебхук отключён",
    "Passwords, devices, second factors, the team": "Пароли, устройства, вторые факторы, команда",
    "Your identity check is approved.": "Проверка личности пройдена.",
    "Your identity check was not approved.": "Проверка личности не пройдена.",
}
