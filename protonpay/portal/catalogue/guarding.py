"""What an account's owner reads of who signed in, from where and with what."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "Where you are signed in": "Где вы вошли",
    "{program} on {system}": "{program} на {system}",
    "Another program": "Другая программа",
    "Sign-ins": "Входы",
    "All sign-ins": "Все входы",
    "Who signed in to your account, newest first. If one was not you, change your password.": (
        "Кто входил в ваш аккаунт, сначала новые. Если один из входов не ваш, смените пароль."
    ),
    "From where": "Откуда",
    "With what": "Устройство",
    "How it ended": "Чем завершился",
    "Still signed in": "Ещё активен",
    "Signed out.": "Выход.",
    "Ended from another session.": "Завершён из другого сеанса.",
    "Expired.": "Истёк срок.",
    "The password was changed.": "Сменён пароль.",
    "The password was reset.": "Задан новый пароль.",
    "The second factor was changed.": "Изменён второй фактор.",
    "The account was stopped by the link in an e-mail.": "Аккаунт остановлен по ссылке из письма.",
    "The account was suspended.": "Аккаунт заблокирован.",
    "A token of it was used twice, so two had it.": (
        "Его токен использован дважды: он был у двоих."
    ),
    "Failed sign-ins": "Неудачные входы",
    "All failed sign-ins": "Все неудачные входы",
    "None in ninety days.": "За девяносто дней не было.",
    "Of ninety days. Each line is ten minutes from one address.": (
        "За девяносто дней. Одна строка — десять минут с одного адреса."
    ),
    "Nobody got in by these. If the password was right and it was not you, change it.": (
        "Никто не вошёл. Если пароль был верным, а это были не вы, смените его."
    ),
    "Why": "Почему",
    "How often": "Сколько раз",
    "many other addresses": "много других адресов",
    "The password was wrong.": "Неверный пароль.",
    "The password was right, the code was wrong.": "Пароль верный, код неверный.",
    "The password was right, the passkey was not.": "Пароль верный, ключ доступа не подошёл.",
    "The account is suspended.": "Аккаунт заблокирован.",
}
