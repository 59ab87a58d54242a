"""What is said where a sandbox is tried."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "menu|Test": "Тестирование",
    "All of this is play money. The chains and the providers run beside this installation.": (
        "Деньги здесь игровые. Сети и платёжные сервисы работают рядом с этой установкой."
    ),
    "Reason, if it is rejected": "Причина, если отклонить",
    "Send me test USDC": "Прислать мне тестовые USDC",
    "A wallet outside of Proton Pay pays your deposit address, as a customer of yours would.": (
        "Кошелёк вне Proton Pay платит на ваш адрес пополнения, как это сделал бы ваш клиент."
    ),
    "Send it to me": "Прислать",
    "Pay an invoice of mine": "Оплатить мой счёт",
    "The same wallet pays it at its address: all of it, a part, or too much.": (
        "Тот же кошелёк платит на адрес счёта: всё, часть или больше нужного."
    ),
    "Left empty: all that it still asks for.": "Если не заполнять — всё, что ещё осталось.",
    "Pay it": "Оплатить",
    "On Solana: a reorganisation takes it away once it was seen.": (
        "В Solana: платёж появится и исчезнет из-за реорганизации сети."
    ),
    "It vanishes once it was seen.": "Исчезнет, как только его увидят.",
    "How one ends that nobody pays is tried on its own page.": (
        "Как завершается неоплаченный счёт, можно проверить на его странице."
    ),
    "Let its time be over": "Завершить срок оплаты",
    (
        "Only where money is play money: it ends now as it would by itself, and your programs"
        " are told."
    ): (
        "Только там, где деньги игровые: счёт завершится сейчас так же, как завершился бы сам,"
        " и ваши программы об этом узнают."
    ),
    "End it now": "Завершить сейчас",
    "The time of this invoice is over.": "Срок оплаты этого счёта истёк.",
    "No invoice of yours is open.": "Открытых счетов у вас нет.",
    "Sent lately": "Недавно отправлено",
    "The node refused it: nothing was sent.": "Узел отказал: ничего не отправлено.",
    "Its node did not answer for an hour: nothing was sent.": (
        "Узел не отвечал целый час: ничего не отправлено."
    ),
    "It may have been sent, and is not sent again.": (
        "Возможно, отправлено; повторно отправлено не будет."
    ),
    "Nothing was sent yet.": "Пока ничего не отправлено.",
    "Sending": "Отправляется",
    "Unknown": "Неизвестно",
    "Decide my identity check": "Решение по моей проверке личности",
    "It waits for an operator. Here you are one.": (
        "Она ждёт решения сотрудника. Здесь вы решаете сами."
    ),
    "Approve it": "Одобрить",
    "Reject it": "Отклонить",
    "There is none that waits. Send your details first: any will do.": (
        "Сейчас нечего решать. Сначала отправьте данные: подойдут любые."
    ),
    "See a webhook arrive": "Увидеть вебхук",
    "Each endpoint can be sent a test event of any kind:": (
        "На каждый адрес можно отправить тестовое событие любого вида:"
    ),
    "Pay by a test card": "Оплата тестовой картой",
    (
        "A deposit or an invoice by card leads to a page of a provider that is played here."
        " It asks for no number; its buttons say how the payment ends:"
    ): (
        "Пополнение или счёт с оплатой картой ведёт на страницу платёжного сервиса, который здесь"
        " имитируется. Номер карты не нужен: чем кончится платёж, решает кнопка."
    ),
    "On the page": "На странице",
    "What happens": "Что происходит",
    "The card is charged: the money is credited within seconds.": (
        "С карты списано: деньги зачислены за несколько секунд."
    ),
    "The card's bank says no: the deposit fails, and another can be made.": (
        "Банк карты отказал: пополнение не выполнено, можно сделать новое."
    ),
    "The payer turns back: the deposit fails.": ("Плательщик передумал: пополнение не выполнено."),
    "Nothing at all": "Ничего не нажато",
    "The page runs out after its time, and the deposit with it.": (
        "Время страницы истекает, а с ней и пополнение."
    ),
    "Set up here:": "Подключены:",
    "Send me 100 test USDC": "Прислать 100 тестовых USDC",
    "What else can be tried": "Что ещё можно попробовать",
    "Test USDC from a terminal where Proton Pay is installed": (
        "Тестовые USDC из терминала, где установлен Proton Pay"
    ),
    "Test USDC is on its way: it shows here within seconds.": (
        "Тестовые USDC отправлены: они появятся здесь через несколько секунд."
    ),
    "Let a call fail": "Сбой на вызове",
    (
        "The next call by an API key of yours is answered so, once, within 15 minutes. Pages of"
        " the portal and calls of test mode go on as always."
    ): (
        "Так будет отвечено на следующий вызов с вашим ключом API: один раз, в течение 15 минут."
        " Страницы кабинета и вызовы тестового режима работают как обычно."
    ),
    "500: it was done, and its answer is lost": "500: выполнено, но ответ потерян",
    "500: it was not done": "500: не выполнено",
    "503: it was not done, ask later": "503: не выполнено, повторите позже",
    "429: it was not done, asked too often": "429: не выполнено, слишком часто",
    (
        "After a 500 a program cannot know whether it was done. It asks again with the same"
        " Idempotency-Key: nothing is done twice, and a lost answer comes."
    ): (
        "После 500 программа не может знать, выполнен ли вызов. Она повторяет его с тем же"
        " Idempotency-Key: ничто не выполнится дважды, а потерянный ответ придёт."
    ),
    "Call": "Вызов",
    "Whichever comes next": "Какой придёт первым",
    "Let it fail": "Заказать сбой",
    "Waiting for a call": "Ждут вызова",
    "Take it back": "Отменить",
    "The next call of your API keys that it is meant for meets this fault.": (
        "Сбой заказан: его встретит первый подходящий вызов с вашим ключом API."
    ),
    "The fault is taken back.": "Сбой отменён.",
    "Your identity check is decided.": "Ваша проверка личности завершена.",
}
