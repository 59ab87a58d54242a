"""The client portal: its frame, money, what all screens share."""

from protonpay.portal.catalogue.counted import Counted, Sentences, counted

COUNTED: dict[str, Counted] = dict(
    [
        counted(
            ("{count} day", "{count} days"),
            ("{count} день", "{count} дня", "{count} дней", "{count} дня"),
        )
    ]
)
IN_RUSSIAN: Sentences = {
    "Coming in, not final yet": "В пути, ещё не окончательно",
    "balance|Under review": "На проверке",
    "Held for withdrawals": "Удержано для выводов",
    "Spans of days": "Промежутки дней",
    "Today": "Сегодня",
    "This week": "Эта неделя",
    "This month": "Этот месяц",
    "Last month": "Прошлый месяц",
    "This quarter": "Этот квартал",
    "Id, transaction, address, note": "Номер, транзакция, адрес, примечание",
    "Amount from": "Сумма от",
    "Amount to": "Сумма до",
    "Rows": "Строк",
    # the frame
    "Skip to the content": "Перейти к содержанию",
    "Language": "Язык",
    "Menu": "Меню",
    "Most used": "Самое нужное",
    "Sign out": "Выйти",
    "As the API gives it": "Как это отдаёт API",
    "This page as API calls": "Эта страница как вызовы API",
    "Nothing here": "Здесь ничего нет",
    "Back to the overview": "Вернуться к обзору",
    "Nothing here.": "Здесь ничего нет.",
    "Not now": "Сейчас нельзя",
    "There is no such page, or it is not yours.": (
        "Такой страницы нет, или у вас нет к ней доступа."
    ),
    "This could not be done.": "Не удалось выполнить.",
    "Look at the fields that are marked.": "Проверьте отмеченные поля.",
    "Request": "Запрос",
    "Older": "Раньше",
    "Back to the newest": "К самым новым",
    "Balance, day by day": "Баланс по дням",
    "What each level allows": "Что даёт каждый уровень",
    "Level": "Уровень",
    "Yours": "Ваш",
    "Your level is {level}.": "Ваш уровень — {level}.",
    "Now: at most {single} USDC in one withdrawal, {day} USDC in 24 hours.": (
        "Сейчас: не больше {single} USDC за один вывод и {day} USDC за 24 часа."
    ),
    "Any": "Любое",
    "Show": "Показать",
    "Clear": "Сбросить",
    "More filters": "Ещё фильтры",
    "Save": "Сохранить",
    "Saved.": "Сохранено.",
    "Continue": "Далее",
    "From day": "С даты",
    "To day": "По дату",
    "Other filters may show more.": "Другие фильтры могут показать больше.",
    "yes": "да",
    "no": "нет",
    "{milliseconds} ms": "{milliseconds} мс",
    "1 minute": "1 минута",
    "2 minutes": "2 минуты",
    "5 minutes": "5 минут",
    "1 hour": "1 час",
    "1 day": "1 день",
    "7 days": "7 дней",
    "30 days": "30 дней",
    # the menu
    "Money": "Деньги",
    "Sell": "Продажи",
    "Build": "Разработка",
    "Account": "Аккаунт",
    "Overview": "Обзор",
    "Deposit": "Пополнение",
    "Withdraw": "Вывод",
    "Transfer": "Перевод",
    "Activity": "Операции",
    "Invoices": "Счета",
    "API keys": "Ключи API",
    "Webhooks": "Вебхуки",
    "Events": "События",
    "Fees and limits": "Комиссии и лимиты",
    "Limits": "Лимиты",
    "Addresses": "Адреса",
    "Identity": "Проверка личности",
    "Security": "Безопасность",
    # states
    "Pending": "В обработке",
    "invoice|Open": "Открыт",
    "Confirmed": "Подтверждено",
    "Completed": "Выполнено",
    "Failed": "Не выполнено",
    "On hold": "На проверке",
    "Partially refunded": "Возвращено частично",
    "Delivered": "Доставлено",
    "Exhausted": "Попытки исчерпаны",
    "Credited": "Зачислено",
    "Seen": "Замечено",
    "Vanished": "Исчезло",
    "Returned": "Возвращено",
    "Approved": "Одобрено",
    "Rejected": "Отклонено",
    # columns and facts
    "Time": "Время",
    "What": "Что",
    "With": "С кем",
    "Amount": "Сумма",
    "Fee": "Комиссия",
    "Commission": "Комиссия за пополнение",
    "Status": "Состояние",
    "State": "Состояние",
    "How": "Как",
    "Number": "Номер",
    "Network": "Сеть",
    "Note": "Примечание",
    "Name": "Название",
    "Rate": "Курс",
    "Transaction": "Транзакция",
    "Explorer": "В обозревателе",
    "Given back": "Возвращено",
    "From": "От",
    "To": "Кому",
    "by card": "картой",
    "Withdrawal": "Вывод средств",
    # the overview
    "Balance": "Баланс",
    "Available": "Доступно",
    "{debt} USDC is owed and is taken from what comes in next.": (
        "Долг {debt} USDC: он будет удержан из следующих поступлений."
    ),
    "Deposited in total": "Всего внесено",
    "Withdrawn in total": "Всего выведено",
    "At most in one withdrawal": "Не больше за один вывод",
    "At most in 24 hours": "Не больше за 24 часа",
    "Set up your account": "Настройте аккаунт",
    "Confirm your e-mail address": "Подтвердите адрес электронной почты",
    "Add a second factor": "Включите второй фактор",
    "Link a wallet": "Привяжите кошелёк",
    "Verify your identity": "Подтвердите личность",
    "done": "готово",
    "Recent activity": "Последние операции",
    "Begin with this": "С чего начать",
    "All activity": "Все операции",
    "Add money": "Пополнить баланс",
    "By card, or in USDC on chain": "Картой или переводом USDC",
    "Create an invoice": "Выставить счёт",
    "With a page that its payer opens": "Со страницей оплаты для плательщика",
    "Call the API": "Вызвать API",
    "A key, and the first call": "Ключ и первый запрос",
    "Came in": "Поступило",
    "Went out": "Ушло",
    # deposits
    "On chain": "В сети",
    "From a wallet or an exchange": "С кошелька или биржи",
    "By card": "Картой",
    "Your address stays the same: send as often as you like.": (
        "Ваш адрес не меняется: отправляйте на него сколько угодно раз."
    ),
    "You receive": "Вы получите",
    "The rate is fixed when you go on, the amount credited once the provider has confirmed it.": (
        "Курс фиксируется при переходе, сумма зачисляется, когда провайдер подтвердит оплату."
    ),
    "No provider that is set up here takes this currency.": (
        "Ни один из подключённых провайдеров не принимает эту валюту."
    ),
    "At least": "Минимальная сумма",
    "When it is credited": "Когда зачислим",
    "Any amount above zero": "Любая сумма больше нуля",
    "Once it is final, some 15 seconds after it is sent.": (
        "Когда станет окончательным: примерно через 15 секунд после отправки."
    ),
    "When it arrives": "Когда придёт",
    "On the network within seconds, final some 15 seconds later.": (
        "В сети через несколько секунд, окончательно — примерно через 15 секунд."
    ),
    "On the network within seconds, final some 20 minutes later.": (
        "В сети через несколько секунд, окончательно — примерно через 20 минут."
    ),
    "On the network within seconds, final some 5 seconds later.": (
        "В сети через несколько секунд, окончательно — примерно через 5 секунд."
    ),
    "On the network within seconds, final once it says so.": (
        "В сети через несколько секунд, окончательно — когда это подтвердит сеть."
    ),
    "Some 2 minutes after it is sent; a large amount once it is final, some 20 minutes.": (
        "Примерно через 2 минуты после отправки; крупная сумма — когда станет окончательной,"
        " примерно через 20 минут."
    ),
    "Once it is final, some 5 seconds after it is sent.": (
        "Когда станет окончательным: примерно через 5 секунд после отправки."
    ),
    "Once its network calls it final.": "Когда сеть сочтёт его окончательным.",
    "It is on its way and is credited by itself.": "Платёж в пути и будет зачислен сам.",
    "the provider is being asked": "спрашиваем провайдера",
    "You are leaving for {provider}": "Вы переходите к {provider}",
    "You pay": "Вы платите",
    "Your card's data stays with the provider. You come back here, and the amount is credited once"
    " the provider has confirmed it.": (
        "Данные карты остаются у провайдера. Вы вернётесь сюда, а сумма будет зачислена, когда"
        " провайдер её подтвердит."
    ),
    "Go on to {provider}": "Перейти к {provider}",
    "page|Back": "Назад",
    "No card provider is set up here.": "Оплата картой здесь не подключена.",
    "Latest deposits": "Последние пополнения",
    "Nothing has come in yet.": "Поступлений пока нет.",
    "A deposit shows here within seconds of being sent.": (
        "Пополнение появится здесь через несколько секунд после отправки."
    ),
    "The provider is being asked. Do not pay again.": (
        "Спрашиваем провайдера. Не платите повторно."
    ),
    # withdrawals
    "From your address book": "Из адресной книги",
    "Go on with this address": "Продолжить с этим адресом",
    "Can be withdrawn now": "Можно вывести сейчас",
    "All of it arrives; the fee is taken beside it.": (
        "Придёт вся сумма; комиссия берётся сверх неё."
    ),
    "What is sent on chain cannot be taken back.": "Отправленное в сеть вернуть нельзя.",
    "Scan a QR code": "Сканировать QR-код",
    "Read a picture": "Прочитать с картинки",
    "Show the QR code to the camera": "Наведите камеру на QR-код",
    "There is no QR code of an address in it.": "QR-кода с адресом здесь нет.",
    "This code is of another network or another coin.": "Этот код другой сети или другой монеты.",
    "The camera could not be opened.": "Не удалось включить камеру.",
    "The address is read. Compare it with the one that you see.": (
        "Адрес прочитан. Сверьте его с тем, который видите."
    ),
    "Choose a network": "Выберите сеть",
    "The address fits: {networks}. Choose the network that you mean.": (
        "Адрес подходит для: {networks}. Выберите нужную сеть."
    ),
    "An address of yours or anybody's on this network. It cannot be taken back.": (
        "Ваш или любой другой адрес в этой сети. Вернуть отправленное нельзя."
    ),
    "Fee on {network}": "Комиссия в сети {network}",
    "Is everything right?": "Всё верно?",
    "This address only looks like one you have paid before.": (
        "Этот адрес только похож на тот, которому вы уже платили."
    ),
    "Somebody may have put it into your history. Compare them from the first sign to the last.": (
        "Возможно, его подложили в вашу историю. Сравните их от первого знака до последнего."
    ),
    "A contract stands at this address, not a wallet.": "По этому адресу контракт, а не кошелёк.",
    "Not every contract can give on what it gets. Ask its owner whether it takes USDC.": (
        "Не каждый контракт может отдать полученное. Спросите владельца, принимает ли он USDC."
    ),
    "I know this contract, and it takes USDC.": "Я знаю этот контракт, он принимает USDC.",
    "The network knows no contract at this address.": "По сведениям сети, контракта здесь нет.",
    "The network is being asked whether a contract stands at this address.": (
        "Спрашиваем сеть, нет ли по этому адресу контракта."
    ),
    "It could not be checked whether a contract stands at this address.": (
        "Не удалось проверить, нет ли по этому адресу контракта."
    ),
    "Go on only if you know that it is a wallet.": (
        "Продолжайте, только если знаете, что это кошелёк."
    ),
    "Look again": "Проверить ещё раз",
    "Paid before": "Платили раньше",
    "Typed now": "Введён сейчас",
    "I have compared the whole address, and it is the one I mean.": (
        "Я сравнил(а) адрес целиком, это именно он."
    ),
    "an address of this installation: credited at once": (
        "адрес этой же системы: зачисляется сразу"
    ),
    "Arrives": "Придёт",
    "Leaves your balance": "Спишется с баланса",
    "Balance after it": "Баланс после",
    "Left of the limit of 24 hours": "Остаток лимита за 24 часа",
    "Withdraw {amount} USDC": "Вывести {amount} USDC",
    "Change it": "Изменить",
    "Next withdrawal in": "Следующий вывод через",
    "The next withdrawal is possible now.": "Следующий вывод уже возможен.",
    "Withdrawn in the last 24 hours": "Выведено за последние 24 часа",
    "Use the maximum": "Подставить максимум",
    "Nothing can be withdrawn now: see the balance and the limits.": (
        "Сейчас вывести нечего: посмотрите на баланс и лимиты."
    ),
    "The balance does not cover this amount.": "На балансе недостаточно средств.",
    "This is more than one withdrawal may be.": "Это больше, чем можно вывести за один раз.",
    "This is more than the limit of 24 hours leaves.": "Это больше остатка лимита за 24 часа.",
    "The last withdrawal was a moment ago.": "Предыдущий вывод был только что.",
    "Withdrawals of this account are frozen.": "Вывод с этого аккаунта остановлен.",
    "Verify your e-mail address first.": "Сначала подтвердите адрес электронной почты.",
    "This plan needs an approved identity check first.": (
        "На этом тарифе сначала нужно пройти проверку личности."
    ),
    "This is no address of this network, or it has a typing error.": (
        "Это не адрес в этой сети, или в нём опечатка."
    ),
    "This is your own deposit address.": "Это ваш собственный адрес пополнения.",
    "This is the address of an invoice of your own.": "Это адрес вашего собственного счёта.",
    "This address is not in your address book.": "Этого адреса нет в вашей адресной книге.",
    "This address is new in your address book: it waits for a day.": (
        "Этот адрес недавно в адресной книге: вывод на него возможен через сутки."
    ),
    "Asked for": "Запрошено",
    "Sent to the network": "Отправлено в сеть",
    "Not sent": "Не отправлено",
    "payout|Confirmed": "Подтверждено сетью",
    "Credited here, no network has carried it": "Зачислено внутри системы, без сети",
    "Nothing is signed yet: the amount and the fee return to your balance in a moment.": (
        "Ещё ничего не подписано: сумма и комиссия сразу вернутся на баланс."
    ),
    "Cancel the withdrawal": "Отменить вывод",
    "You have asked for it back: it returns once it is sure that it was not sent.": "Вы просите"
    " вернуть его: деньги вернутся, как только станет ясно, что их не отправили.",
    "The withdrawal is asked back.": "Запрос на отмену вывода принят.",
    "It is being prepared.": "Готовится.",
    "It is being looked at.": "На проверке.",
    "Sent, waiting for the network to show it. It will not be sent twice.": (
        "Отправлено, ждём, пока сеть это покажет. Дважды отправлено не будет."
    ),
    "Payouts are paused. It goes out when they go on.": (
        "Выплаты приостановлены. Эта уйдёт, когда они возобновятся."
    ),
    "It waits its turn and goes out by itself.": "Ждёт очереди и уйдёт сама.",
    "It was not sent, and all of it is back in your balance.": (
        "Не отправлено, вся сумма снова на балансе."
    ),
    # transfers
    "To another user, at once and without a fee.": (
        "Другому пользователю, мгновенно и без комиссии."
    ),
    "E-mail address or public id, such as PP-7K3M9QWD.": (
        "Адрес электронной почты или публичный номер, например PP-7K3M9QWD."
    ),
    "Both of you see it.": "Увидите и вы, и получатель.",
    "The first letters of the name. Is this who you mean? A transfer cannot be taken back.": (
        "Первые буквы имени. Это тот, кому вы платите? Перевод нельзя отменить."
    ),
    "Transfer {amount} USDC": "Перевести {amount} USDC",
    "Make another": "Новый перевод",
    # invoices
    "New invoice": "Новый счёт",
    "What for": "За что",
    "late": "с опозданием",
    "over-paid": "переплата",
    "No invoices here.": "Счетов здесь нет.",
    "An invoice has a page of its own that its payer opens.": (
        "Выставьте счёт и отправьте плательщику ссылку на страницу оплаты."
    ),
    "Its payer sees it.": "Это увидит плательщик.",
    "Payable for": "Срок оплаты",
    "Tolerance": "Допуск",
    "It counts as paid if at most so much is missing.": (
        "Счёт считается оплаченным, если не хватает не больше этой суммы."
    ),
    "What comes after the end may pay it too.": "Пришедшее после срока тоже может оплатить счёт.",
    "Create the invoice": "Выставить счёт",
    "Invoice": "Счёт",
    "Pay page": "Страница оплаты",
    "Show its QR code": "Показать QR-код",
    "QR code of the pay page": "QR-код страницы оплаты",
    "Its payer scans it, and the pay page opens.": (
        "Плательщик сканирует его, и открывается страница оплаты."
    ),
    "Open it": "Открыть",
    "Over-paid by": "Переплата",
    "Cancel it": "Отменить",
    "Its addresses are not shown any more. What arrives all the same is yours to give back.": (
        "Адреса счёта больше не показываются. Если деньги всё же придут, вернуть их сможете вы."
    ),
    "Cancel the invoice": "Отменить счёт",
    "The invoice is cancelled.": "Счёт отменён.",
    "Give money back": "Вернуть деньги",
    "Give it back": "Вернуть",
    "Empty: all that was paid.": "Если пусто — всё уплаченное.",
    "Empty: to the balance that it was paid from.": "Если пусто — на баланс, с которого платили.",
    "The refund is on its way.": "Возврат отправлен.",
}
