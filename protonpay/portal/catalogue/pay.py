"""The pay page."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "It came on {network}.": "Деньги пришли в сети {network}.",
    # headings and chips
    "Waiting for payment": "Ожидаем оплату",
    "Part paid": "Оплачен частично",
    "Under review": "На проверке",
    "Payment received and under review": "Платёж получен и проходит проверку",
    "{held} USDC has arrived and is being checked. Do not pay again; nothing more is needed.": (
        "Поступило {held} USDC, идёт проверка. Не платите повторно: больше ничего не нужно."
    ),
    "Confirming": "Подтверждается",
    "Paid": "Оплачено",
    "Expired": "Срок истёк",
    "Cancelled": "Отменён",
    "Refunded": "Возвращено",
    "Partly refunded": "Возвращено частично",
    "Send {rest} USDC": "Отправьте {rest} USDC",
    "The payment has arrived": "Платёж получен",
    "Send {rest} USDC more": "Отправьте ещё {rest} USDC",
    "Payment found, waiting for the network": "Платёж найден, ждём подтверждения сети",
    "{seen} of about {required} confirmations": "Подтверждений: {seen} из примерно\u00a0{required}",
    "How many confirmations there are is not known right now": (
        "Сколько уже подтверждений, сейчас неизвестно"
    ),
    "{network} is slow today": "Сеть {network} сегодня работает медленно",
    "{confirming} USDC is safe, and the payment will finish by itself. Do not pay again.": (
        "{confirming} USDC в безопасности, платёж завершится сам. Не платите повторно."
    ),
    "It is not known when {network} made its newest final block.": (
        "Неизвестно, когда в сети {network} появился последний окончательный блок."
    ),
    "Newest final block of {network}: less than a minute ago": (
        "Последний окончательный блок сети {network}: меньше минуты назад"
    ),
    "Newest final block of {network}: {minutes} min ago": (
        "Последний окончательный блок сети {network}: {minutes} мин назад"
    ),
    "Newest final block of {network}: {hours} h ago": (
        "Последний окончательный блок сети {network}: {hours} ч назад"
    ),
    "Powered by": "Работает на",
    "Who runs this": "Кто за этим стоит",
    "Help": "Помощь",
    "Terms": "Условия",
    "This invoice has expired": "Срок счёта истёк",
    "Expired, {paid} of {total} USDC arrived": "Срок истёк, получено {paid} из {total} USDC",
    "The payment came after the deadline": "Платёж пришёл после срока",
    "The seller cancelled this invoice": "Продавец отменил счёт",
    "{refunded} USDC was returned": "Возвращено {refunded} USDC",
    "No such invoice": "Счёт не найден",
    # sentences
    "Choose a way to pay and send exactly this amount.": (
        "Выберите способ оплаты и отправьте ровно эту сумму."
    ),
    # by card
    "Not paid": "Не оплачено",
    "The card was declined": "Карта отклонена",
    "Nothing was charged. Try again, or pay {rest} USDC another way.": (
        "Ничего не списано. Попробуйте ещё раз или оплатите {rest} USDC другим способом."
    ),
    "Your card payment is being checked. Do not pay again; nothing more is needed.": (
        "Платёж картой проверяется. Не платите повторно: больше ничего не нужно."
    ),
    "Do not pay again. This page will say how it ended, and you can close it.": (
        "Не платите повторно. Страница сама покажет итог, её можно закрыть."
    ),
    "Your bank is processing the payment": "Банк обрабатывает платёж",
    "Card payment": "Платёж картой",
    "Card": "Карта",
    "Pay by card": "Оплатить картой",
    "A page of {provider} is open for {price}.": "Страница {provider} открыта на сумму {price}.",
    "Pay {price} at {host}": "Оплатить {price} на {host}",
    "If you have paid there already, do not pay again: this page will show it.": (
        "Если вы там уже заплатили, не платите повторно: эта страница покажет платёж."
    ),
    "{provider} has not answered yet. Nobody was charged.": (
        "{provider} пока не отвечает. Ничего не списано."
    ),
    "Currency and provider": "Валюта и провайдер",
    "Your e-mail": "Ваш e-mail",
    "For the provider, who sends its receipt there. You see the price before you pay.": (
        "Для провайдера: туда придёт его чек. Цена показывается до оплаты."
    ),
    "Try again": "Попробовать ещё раз",
    "Continue": "Далее",
    "to the card": "на карту",
    # from a balance
    "You are signed in: {name}. It is paid at once, without a fee.": (
        "Вы вошли как {name}. Оплата мгновенная и без комиссии."
    ),
    "Pay {rest} USDC": "Оплатить {rest} USDC",
    "Sign in and pay": "Войти и оплатить",
    # back to the seller
    "Go to {host}": "Перейти на {host}",
    "Return to {host}": "Вернуться на {host}",
    "You go back in {seconds} seconds.": "Переход через {seconds} с.",
    "Stay here": "Остаться здесь",
    # time that runs out
    "5 minutes left": "Осталось 5 минут",
    "1 minute left": "Осталась 1 минута",
    # the receipt
    "Receipt": "Квитанция",
    "For what": "Назначение",
    "Amount": "Сумма",
    "Received": "Получено",
    "Given back": "Возвращено",
    "Status": "Состояние",
    "QR code of the address of this receipt": "QR-код адреса этой квитанции",
    "Whoever has this paper can compare it with the receipt at its address:": (
        "Бумагу можно сверить с квитанцией по её адресу:"
    ),
    "Signed file (JSON)": "Подписанный файл (JSON)",
    "The signed file proves itself, without this site. How it is verified:": (
        "Подлинность подписанного файла проверяется и без этого сайта. Как это сделать:"
    ),
    "Print": "Напечатать",
    "Back to the invoice": "Вернуться к счёту",
    "Language": "Язык",
    "Received {paid} of {total} USDC. Send the rest to the same address.": (
        "Получено {paid} из {total} USDC. Отправьте остаток на тот же адрес."
    ),
    "{confirming} USDC is on its way. You can close this page; nothing more is needed.": (
        "{confirming} USDC уже в пути. Страницу можно закрыть, больше ничего не нужно."
    ),
    "{confirming} USDC is on its way; {rest} USDC is still missing.": (
        "{confirming} USDC уже в пути; не хватает ещё {rest} USDC."
    ),
    "{seller} has received {paid} USDC.": "Поступило {paid} USDC. Получатель: {seller}.",
    "{seller} has received {paid} USDC. Short by {short} USDC, accepted.": (
        "Поступило {paid} USDC, не хватило {short} USDC, принято. Получатель: {seller}."
    ),
    "{seller} has received {paid} USDC, {over} USDC more than needed.": (
        "Поступило {paid} USDC, на {over} USDC больше нужного. Получатель: {seller}."
    ),
    "Paid. You sent {over} USDC more than needed": ("Оплачено. Вы отправили на {over} USDC больше"),
    "It came after the deadline, and was accepted.": "Платёж пришёл после срока и был принят.",
    "Do not send money to its address. Ask the seller for a new invoice.": (
        "Не отправляйте деньги на его адрес. Попросите у продавца новый счёт."
    ),
    "{seller} has this money. Ask here for it back, or for an invoice for the rest.": (
        "Эти деньги у продавца: {seller}. Здесь можно запросить их возврат или счёт на остаток."
    ),
    "Do not send anything more.": "Больше ничего не отправляйте.",
    "{held} USDC has arrived and is being checked; {rest} USDC is still missing.": (
        "Поступило {held} USDC, идёт проверка; не хватает ещё {rest} USDC."
    ),
    "{seller} has received {paid} USDC, but the invoice had ended. They can accept it or give it back: ask for it back here.": (  # noqa: E501 - one sentence is one key
        "Поступило {paid} USDC, но срок счёта истёк. {seller} может принять платёж или вернуть его:"
        " возврат можно запросить здесь."
    ),
    "Do not send money for it.": "Не отправляйте по нему деньги.",
    "Before that {paid} USDC arrived; {seller} has it.": (
        "До этого поступило {paid} USDC; деньги у продавца: {seller}."
    ),
    "All that was paid was given back.": "Всё уплаченное возвращено.",
    "Of {paid} USDC that was paid.": "Из уплаченных {paid} USDC.",
    "{confirming} USDC has been seen on its way. It will be credited to {seller}.": (
        "Видим {confirming} USDC в пути. Сумма будет зачислена продавцу: {seller}."
    ),
    "Check the link, or ask the seller for a new one.": (
        "Проверьте ссылку или попросите у продавца новую."
    ),
    "Addresses are being prepared. This page will show them in a moment.": (
        "Адреса готовятся. Страница покажет их через мгновение."
    ),
    # labels
    "{seller} asks for": "Счёт от {seller}",
    "{seller} asked for": "Счёт от {seller}",
    "Paid at": "Оплачен",
    "Payable until": "Оплатить до",
    "Was payable until": "Можно было оплатить до",
    "{hours} h {minutes} min left": "осталось {hours} ч {minutes} мин",
    "{days} d {hours} h left": "осталось {days} дн. {hours} ч",
    "Pay on {network}": "Оплатить в сети {network}",
    "Send exactly": "Отправьте ровно",
    "To the address": "На адрес",
    "Open in a wallet": "Открыть в кошельке",
    "QR code of the address on {network}": "QR-код адреса в сети {network}",
    "Only native USDC on {network} (token {token}). Other coins are not accepted.": (
        "Только USDC в сети {network} (токен {token}). Другие монеты не принимаются."
    ),
    "USDC.e is another coin.": "USDC.e — другая монета.",
    "From a Proton Pay balance": "С баланса Proton Pay",
    "At once and without a fee, with the API:": "Мгновенно и без комиссии, через API:",
    "Pay with": "Чем оплатить",
    # from an exchange
    "I paid from an exchange": "Я платил с биржи",
    "Choose the network of this page there. A withdrawal can take half an hour.": (
        "Выберите там сеть с этой страницы. Вывод может занять полчаса."
    ),
    "Keep this page's address: it is all you need to come back.": (
        "Сохраните адрес этой страницы: больше ничего не нужно, чтобы вернуться."
    ),
    "Hash of the transaction, or a link to it": "Хеш транзакции или ссылка на неё",
    "Your exchange shows it with the withdrawal (TxID).": (
        "Биржа показывает его рядом с выводом (TxID)."
    ),
    "Look for it": "Найти",
    "It is on its way here, and not final yet. Nothing more is needed.": (
        "Перевод в пути, сеть его ещё не подтвердила. Больше ничего не нужно."
    ),
    "It has arrived: it is listed above.": "Перевод пришёл: он в списке выше.",
    "This transaction gave nothing to the address of this invoice. Compare the address you sent to.": (  # noqa: E501 - one sentence is one key
        "По этой транзакции на адрес счёта ничего не пришло. Сверьте адрес, на который отправляли."
    ),
    "This transaction failed on its network: nothing was sent.": (
        "Эта транзакция не удалась в своей сети: ничего не отправлено."
    ),
    "We see another coin ({coin}) on {network} at this address. It needs a person: name case {case} to the seller.": (  # noqa: E501 - one sentence is one key
        "Видим другую монету ({coin}) в сети {network} на этом адресе. Нужна помощь человека:"
        " назовите продавцу номер {case}."
    ),
    "No network shows it yet. We look again by ourselves.": (
        "Пока её не видит ни одна сеть. Мы проверим ещё раз сами."
    ),
    "No network shows it. Look again once your exchange says that it was sent.": (
        "Её не видит ни одна сеть. Проверьте снова, когда биржа сообщит об отправке."
    ),
    "The network is being asked.": "Спрашиваем сеть.",
    "The network did not answer. Nothing is lost: look again later.": (
        "Сеть не ответила. Ничего не потеряно: проверьте позже."
    ),
    # asked back
    "Get {back} USDC back": "Вернуть {back} USDC",
    "Say where to. {seller} decides, and pays the fee for sending.": (
        "Укажите куда. Решает продавец: {seller}; комиссию за отправку платит он."
    ),
    "The invoice then ends: do not pay the rest.": (
        "После этого счёт закрывается: не платите остаток."
    ),
    "Your address": "Ваш адрес",
    "Of a wallet that you hold. Not the address you paid to, and of an exchange only if it takes USDC on this network.": (  # noqa: E501 - one sentence is one key
        "Кошелька, который принадлежит вам. Не тот адрес, на который вы платили; адрес биржи —"
        " только если она принимает USDC в этой сети."
    ),
    "Is this right?": "Всё верно?",
    "{back} USDC is asked back. {seller} decides, and sends it to this address: look at every character.": (  # noqa: E501 - one sentence is one key
        "Запрашивается возврат {back} USDC. Решает продавец ({seller}) и отправит на этот адрес:"
        " сверьте каждый знак."
    ),
    "Ask for {back} USDC back": "Запросить возврат {back} USDC",
    "Change it": "Изменить",
    "Asked back": "Возврат запрошен",
    "{back} USDC was asked back on {at}. {seller} decides, and sends it to this address:": (
        "Возврат {back} USDC запрошен {at}. Решает продавец ({seller}) и отправит на этот адрес:"
    ),
    "{seller} declined to give {back} USDC back. Ask them why; here you can ask once more.": (
        "Продавец ({seller}) отказал в возврате {back} USDC. Спросите его почему; здесь можно"
        " запросить ещё раз."
    ),
    "Give me more time": "Нужно больше времени",
    "Exchanges take their fee off the amount: send so much that the whole amount arrives.": (
        "Биржа вычитает комиссию из суммы: отправьте столько, чтобы пришла вся сумма."
    ),
    "What has arrived": "Что поступило",
    "What was given back": "Что возвращено",
    "waiting for the network": "ждём подтверждения сети",
    "received": "получено",
    "under review": "на проверке",
    "Copy": "Копировать",
    "Copied": "Скопировано",
    "We cannot check right now. If you have paid, nothing is lost.": (
        "Сейчас не удаётся проверить. Если вы уже заплатили, деньги не потеряны."
    ),
    "received after the end": "получено после срока",
    "on its way back": "возвращается",
    "given back": "возвращено",
    "Proton Pay balance": "Баланс Proton Pay",
    "to a wallet": "на кошелёк",
    "Details": "Подробности",
    "Invoice id": "Номер счёта",
    "Created": "Выставлен",
    "Seller": "Продавец",
    "This page looks again every {seconds} seconds.": "Страница обновляется каждые {seconds} с.",
    "Pause": "Приостановить",
    "The page does not look again by itself.": "Страница сама не обновляется.",
    "Resume": "Возобновить",
}
