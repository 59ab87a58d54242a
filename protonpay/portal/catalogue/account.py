"""The client portal: signing in, who builds on the API, the account itself."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    # signing in
    "Sign in": "Войти",
    "Sign in to go on. What you typed is kept.": "Войдите, чтобы продолжить. Введённое сохранено.",
    "Sign in again": "Войдите снова",
    "Your session has ended. Nothing was sent, and what you typed stays here.": (
        "Сеанс завершён. Ничего не отправлено, введённое остаётся на странице."
    ),
    "You are signed in again. Nothing was sent yet: look at it once more, then send it.": (
        "Вы снова вошли. Ничего ещё не отправлено: проверьте данные и отправьте."
    ),
    "Nothing was sent: this browser acts for another account by now. Open the page again.": (
        "Ничего не отправлено: браузер уже действует за другой аккаунт. Откройте страницу заново."
    ),
    "E-mail address": "Адрес электронной почты",
    "Password": "Пароль",
    "Sign in with a passkey": "Войти с ключом доступа",
    "Forgot your password?": "Забыли пароль?",
    "Create an account": "Открыть аккаунт",
    "Second step": "Второй шаг",
    "Code of your second factor": "Код второго фактора",
    "From your authenticator app, or a recovery code.": (
        "Из приложения-аутентификатора или код восстановления."
    ),
    "Copy all": "Скопировать все",
    "Lost your app and your codes?": "Потеряны и приложение, и коды?",
    "Write to who runs this service, from the e-mail address of your account. Once they are sure that it is you, the second factor is taken away after 48 hours; an e-mail tells you so before, and can stop it.": (  # noqa: E501 - one sentence is one key
        "Напишите в поддержку сервиса с адреса вашего аккаунта. Когда там убедятся, что это вы, "
        "второй фактор отключат через 48 часов; до этого придёт письмо, в нём это можно остановить."
    ),
    "Sign in as somebody else": "Войти под другим именем",
    "A balance in USDC: topped up by card or on chain, paid from at once, yours to withdraw.": (
        "Баланс в USDC: пополняйте картой или переводом, платите мгновенно, выводите когда угодно."
    ),
    "Your name, or your company's": "Имя или название компании",
    "Shown to those you pay and bill.": "Видно тем, кому вы платите и выставляете счета.",
    "At least 12 characters.": "Не меньше 12 символов.",
    "Already have an account?": "Уже есть аккаунт?",
    "Forgotten password": "Забытый пароль",
    "If this address has an account, an e-mail with a link is on its way to it.": (
        "Если с этим адресом есть аккаунт, письмо со ссылкой уже в пути."
    ),
    "Send me a link": "Прислать ссылку",
    # keys
    "API key": "Ключ API",
    "Key": "Ключ",
    "May": "Права",
    "Last used": "Использован",
    "Ends": "Действует до",
    "Ends on": "Действует до",
    "Revoke": "Отозвать",
    "The key is revoked.": "Ключ отозван.",
    "No keys yet.": "Ключей пока нет.",
    "A key lets a program act for this account, within what you allow.": (
        "С ключом программа действует от имени аккаунта в пределах выданных прав."
    ),
    "New key": "Новый ключ",
    "What it is for, such as a server's name.": "Для чего ключ, например имя сервера.",
    "Permissions": "Права",
    "Everything a key may do": "Все права",
    "Allowed IP addresses": "Разрешённые IP-адреса",
    "IP addresses or networks, with spaces between them. Empty: from anywhere.": (
        "Адреса или сети через пробел. Если пусто — откуда угодно."
    ),
    "Create the key": "Создать ключ",
    "This is shown once. Keep it where your secrets are.": (
        "Это показывается один раз. Сохраните там, где храните секреты."
    ),
    "It was shown already, and is shown once only. Make a new one if it is lost.": (
        "Он уже был показан, а показывается только один раз. Если потерян, создайте новый."
    ),
    "I have saved it": "Сохранено",
    "I have saved them": "Коды сохранены",
    "First call": "Первый вызов",
    # webhooks
    "Webhook": "Вебхук",
    "Webhook secret": "Секрет вебхука",
    "Your server is told as soon as something happens.": (
        "Ваш сервер узнаёт о событии сразу, как только оно произошло."
    ),
    "Check a signature": "Проверить подпись",
    "Address": "Адрес",
    "On": "Включено",
    "Off": "Выключено",
    "No endpoints yet.": "Вебхуков пока нет.",
    "Add the address of your server, and choose what it is told.": (
        "Добавьте адрес своего сервера и выберите, о каких событиях сообщать."
    ),
    "New endpoint": "Новый вебхук",
    "Deliveries per second, at most": "Не больше доставок в секунду",
    "Add the endpoint": "Добавить вебхук",
    "Remove the endpoint": "Удалить вебхук",
    "The endpoint is removed.": "Вебхук удалён.",
    "Deliveries": "Доставки",
    "Delivery": "Доставка",
    "Event": "Событие",
    "Attempts": "Попытки",
    "Next attempt": "Следующая попытка",
    "Nothing was delivered yet.": "Доставок пока не было.",
    "Send a test event, and see it arrive.": (
        "Отправьте пробное событие и посмотрите, как оно дойдёт."
    ),
    "Test event": "Пробное событие",
    "Send a test event": "Отправить пробное событие",
    "The test event is on its way.": "Пробное событие отправлено.",
    "Deliver again": "Доставить повторно",
    "All after the event number": "Все события после номера",
    "Or what was missed since": "Или пропущенные начиная с",
    "In your time zone, {zone}.": "В вашем часовом поясе, {zone}.",
    "Deliveries are under way again.": "События доставляются повторно.",
    "New secret": "Новый секрет",
    "Keep signing with the old one for": "Старый тоже подписывает ещё",
    "no time": "нисколько",
    "Back to the endpoint": "К вебхуку",
    "Body": "Тело",
    "Answer": "Ответ",
    "Not tried yet.": "Попыток ещё не было.",
    "Send it again": "Отправить ещё раз",
    "It is being sent again.": "Отправляется ещё раз.",
    # checking a signature
    "Paste a delivery as your server received it. Nothing of it is kept.": (
        "Вставьте доставку в том виде, в каком её получил ваш сервер. Мы ничего не сохраняем."
    ),
    "Headers": "Заголовки",
    "Secret": "Секрет",
    "Check it": "Проверить",
    "The three headers are there": "Все три заголовка на месте",
    "The body is JSON": "Тело — это JSON",
    "The signature of the header fits": "Подпись в заголовке верна",
    "The signature in the body fits": "Подпись в теле верна",
    "It was sent in the last five minutes": "Отправлено за последние пять минут",
    "Everything fits: this was sent by us with this secret.": (
        "Всё сходится: это отправили мы с этим секретом."
    ),
    "A header is missing: webhook-id, webhook-timestamp or webhook-signature.": (
        "Не хватает заголовка: webhook-id, webhook-timestamp или webhook-signature."
    ),
    "It is genuine, but too old: a receiver refuses what is older than five minutes.": (
        "Подлинно, но слишком старо: получатель отвергает всё старше пяти минут."
    ),
    "The body is genuine, but its id, its time or the header's signature was changed.": (
        "Тело подлинное, но изменены номер, время или подпись в заголовке."
    ),
    "The header fits, the signature in the body does not: while two secrets sign, the body bears"
    " the older one's alone.": (
        "Подпись в заголовке верна, а подпись в теле нет: пока действуют два секрета, тело"
        " подписано только старым."
    ),
    "Nothing fits: this is the secret of another endpoint or an old one, or the body was"
    " changed on its way (parsed and written again, for example).": (
        "Ничего не сходится: это секрет другого адреса или старый, либо тело изменилось в пути"
        " (например, было разобрано и записано заново)."
    ),
    # events
    "Before the number": "До номера",
    "Data": "Данные",
    "No events here.": "Событий здесь нет.",
    "Id": "ID события",
    # statements
    "Statements": "Выписки",
    "Statement": "Выписка",
    "A month is ready when it is over. It begins and ends by the time zone of your preferences.": (
        "Выписка появляется, когда месяц закончился. Границы месяца — по часовому поясу из"
        " настроек."
    ),
    "Month": "Месяц",
    "Balance before": "Баланс до",
    "Balance after": "Баланс после",
    "Entries": "Записи",
    "For the invoice": "По счёту",
    "Somebody said that it is lost. It will be taken away at this time:": (
        "Нам сообщили, что он потерян; его отключат в это время:"
    ),
    "If you have it, or it was not you, keep it.": (
        "Если он у вас или об этом просили не вы, сохраните его."
    ),
    "The second factor stays.": "Второй фактор остаётся.",
    "In the book": "В книге учёта",
    "our fee in it: {fee}": "в том числе комиссия: {fee}",
    "Nothing: the book has what is final.": "Ничего: в книгу попадает только окончательное.",
    "Files": "Файлы",
    "No month is over yet.": "Выписок пока нет.",
    "The first statement is here when this month has ended.": (
        "Первая выписка появится, когда закончится этот месяц."
    ),
    "Fees": "Комиссии",
    "Change": "Изменение",
    "Nothing moved in this month.": "В этом месяце движений не было.",
    "Deposit refund": "Возврат пополнения",
    "Deposit return": "Возврат поступления",
    "Invoice payment": "Оплата счёта",
    "Invoice refund": "Возврат по счёту",
    "Adjustment": "Корректировка",
    "Credit": "Зачисление",
    # fees
    "Your plan": "Ваш тариф",
    "Withdrawal on {network}": "Вывод в сети {network}",
    "Between two withdrawals": "Пауза между выводами",
    "From {moment} on": "С {moment}",
    "What would a withdrawal cost?": "Сколько будет стоить вывод?",
    "Calculate": "Рассчитать",
    # addresses
    "Address book": "Адресная книга",
    "Can be paid from": "Вывод возможен с",
    "Remove": "Удалить",
    "No addresses yet.": "Адресов пока нет.",
    "A new one can be paid a day after it was put in.": (
        "Вывод на новый адрес возможен через сутки после добавления."
    ),
    "Withdraw to addresses of this book only": "Выводить только на адреса из этой книги",
    "New address": "Новый адрес",
    "Add the address": "Добавить адрес",
    "The address is in your book. It can be paid after a day.": (
        "Адрес добавлен. Вывод на него возможен через сутки."
    ),
    "The address is removed.": "Адрес удалён.",
    "Linked wallets": "Привязанные кошельки",
    "Unlink": "Отвязать",
    "Sign this with your wallet": "Подпишите это своим кошельком",
    "Signature": "Подпись",
    "Link the wallet": "Привязать кошелёк",
    "You prove that it is yours by signing a message. Nothing is sent.": (
        "Вы подтверждаете, что он ваш, подписав сообщение. Ничего не отправляется."
    ),
    "Wallet's address": "Адрес кошелька",
    "The wallet is linked.": "Кошелёк привязан.",
    "The wallet is unlinked.": "Кошелёк отвязан.",
    # identity
    "Not asked for yet": "Ещё не пройдена",
    "It is being reviewed. You will get an e-mail.": "Заявку рассматривают. Вам придёт письмо.",
    "Your identity is verified. Nothing more is needed.": (
        "Личность подтверждена. Больше ничего не нужно."
    ),
    "Full name, as in the document": "Полное имя, как в документе",
    "Date of birth": "Дата рождения",
    "Country": "Страна",
    "Document": "Документ",
    "Its number": "Номер документа",
    "Send": "Отправить",
    "Thank you. It is being reviewed.": "Спасибо. Заявка на рассмотрении.",
    "Passport": "Паспорт",
    "Id card": "Удостоверение личности",
    "Residence permit": "Вид на жительство",
    "Driving licence": "Водительское удостоверение",
    "Details mismatch": "Данные не совпадают",
    "Document expired": "Срок документа истёк",
    "Document unreadable": "Документ не читается",
    "Document not accepted": "Такой документ не принимается",
    "Country not served": "Страна не обслуживается",
    "Other": "Другая причина",
    "Documents": "Документы",
    "Your details": "Ваши данные",
    "Pictures of your document first, then your details. We answer by e-mail.": (
        "Сначала добавьте снимки документа, затем данные. Ответ придёт письмом."
    ),
    "What it shows": "Что на нём",
    "Front": "Лицевая сторона",
    "Back": "Оборотная сторона",
    "Selfie": "Селфи",
    "Proof of address": "Подтверждение адреса",
    "File": "Файл",
    "JPEG, PNG or PDF, at most 5 MiB. It is kept sealed, and dropped after the decision.": (
        "JPEG, PNG или PDF, не больше 5 МиБ. Хранится зашифрованным, после решения удаляется."
    ),
    "Add the document": "Добавить документ",
    "The document is added.": "Документ добавлен.",
    "The document is removed.": "Документ удалён.",
    # preferences
    "Preferences": "Настройки",
    "Language of e-mails and pages": "Язык писем и страниц",
    "Time zone": "Часовой пояс",
    "A name such as Europe/Moscow. Days and months begin by it.": (
        "Например, Europe/Moscow. По нему отсчитываются дни и месяцы."
    ),
    "Colours": "Оформление",
    "Light": "Светлое",
    "Dark": "Тёмное",
    "Same as the system": "Как в системе",
    "Download as CSV": "Скачать CSV",
    # teams
    "Team": "Команда",
    "You act for {name}.": "Вы действуете от имени {name}.",
    "Back to your own account": "Вернуться к своему аккаунту",
    "Accounts you act for": "Аккаунты, от имени которых вы действуете",
    "Act for it": "Действовать от его имени",
    "Leave": "Выйти из команды",
    "You have left.": "Вы вышли из команды.",
    "Members": "Участники",
    "Role": "Роль",
    "Viewer": "Наблюдатель",
    "Accountant": "Бухгалтер",
    "Developer": "Разработчик",
    "Payer": "Плательщик",
    "Admin": "Администратор",
    "Nobody but you acts for this account.": "От имени этого аккаунта действуете только вы.",
    "Invite people by e-mail, each with a role.": (
        "Пригласите коллег по почте и дайте каждому роль."
    ),
    "Invitations": "Приглашения",
    "Invite somebody": "Пригласить",
    "Invite": "Пригласить",
    "Send again": "Отправить ещё раз",
    "Cancel the invitation": "Отозвать",
    "Sees the balance and the history.": "Видит баланс и историю.",
    "Sees that, statements and files.": "То же, а ещё выписки и файлы.",
    "Sees that, and keeps keys and webhooks; moves no money.": (
        "То же, а ещё ключи и вебхуки; деньгами не распоряжается."
    ),
    "Takes in, sends and pays out.": "Принимает платежи, переводит и выводит деньги.",
    "All of it, and the team.": "Всё перечисленное и управление командой.",
    "What members did": "Что сделали участники",
    "The invitation is on its way.": "Приглашение отправлено.",
    "The invitation is void.": "Приглашение отозвано.",
    "The member is removed.": "Участник удалён.",
    "You are a member now.": "Теперь вы участник.",
    "An invitation": "Приглашение",
    "You are invited to act for somebody's account. Accept only if you know who sent the"
    " invitation. You sign in as yourself, and your own account stays apart.": (
        "Вас пригласили действовать от имени чужого аккаунта. Соглашайтесь, только если знаете, кто"
        " прислал письмо. Вы входите под своим именем, а ваш аккаунт остаётся отдельным."
    ),
    "Programs act for it by this header, with your own sign-in.": (
        "Программы действуют от его имени по этому заголовку, с вашим входом."
    ),
    "Accept the invitation": "Принять приглашение",
    # security
    "Second factor": "Второй фактор",
    "Recovery codes": "Коды восстановления",
    "Recovery codes left: {number}": "Осталось кодов восстановления: {number}",
    "New recovery codes": "Новые коды восстановления",
    "Turn it off": "Отключить",
    "Turn it on": "Включить",
    "The second factor is off.": "Второй фактор отключён.",
    "A code of an app on your phone is asked for when you sign in, and before money leaves.": (
        "Код из приложения на телефоне спрашивается при входе и перед выводом денег."
    ),
    "Set it up": "Настроить",
    "Your address is not verified yet.": "Адрес ещё не подтверждён.",
    "Send the e-mail again": "Отправить письмо ещё раз",
    "An e-mail is on its way.": "Письмо отправлено.",
    "An e-mail is on its way to the new address. Use its link.": (
        "Письмо отправлено на новый адрес. Откройте ссылку из него."
    ),
    "Verified": "Подтверждён",
    "Change the address": "Сменить адрес",
    "Change the password": "Сменить пароль",
    "Password now": "Текущий пароль",
    "The password is changed, and other sessions have ended.": (
        "Пароль изменён, остальные сеансы завершены."
    ),
    "Passkeys": "Ключи доступа",
    "Add a passkey": "Добавить ключ доступа",
    "This device, or a key that you plug in, signs you in by a look or a PIN.": (
        "Входите по лицу, отпечатку или ПИН-коду: с этого устройства или с подключаемого ключа."
    ),
    "So that you know it again, such as the device's name.": (
        "Чтобы его узнать, например имя устройства."
    ),
    "Make the passkey": "Создать ключ доступа",
    "This needs JavaScript: only the browser can ask the device.": (
        "Для этого нужен JavaScript: спросить устройство может только браузер."
    ),
    "No passkey was made.": "Ключ доступа не создан.",
    "No passkey was used.": "Ключ доступа не использован.",
    "The passkey is added.": "Ключ доступа добавлен.",
    "The passkey is removed.": "Ключ доступа удалён.",
    "This session": "Этот сеанс",
    "End the session": "Завершить",
    "End all other sessions": "Завершить остальные",
    "The session has ended.": "Сеанс завершён.",
    "All other sessions have ended.": "Остальные сеансы завершены.",
    "Scan this with an authenticator app, or type the key into it.": (
        "Отсканируйте код приложением-аутентификатором или введите в него ключ."
    ),
    "QR code of the key below": "QR-код ключа, который указан ниже",
    "Type the code that it shows.": "Введите код, который оно покажет.",
    "Code of the app": "Код из приложения",
    "Each opens your account once, if the app is lost.": (
        "Каждый один раз откроет аккаунт, если приложение потеряно."
    ),
}
