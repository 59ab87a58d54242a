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
    "With what": "С чем",
    "How it ended": "Чем кончился",
    "Still signed in": "Вход ещё действует",
    "Signed out.": "Выход.",
    "Ended from another session.": "Завершён из другого сеанса.",
    "Ran out.": "Истёк срок.",
    "The password was changed.": "Сменён пароль.",
    "The password was set anew.": "Задан новый пароль.",
    "The second factor was changed.": "Изменён второй фактор.",
    "The account was stopped by a letter's link.": "Аккаунт остановлен по ссылке из письма.",
    "The account was suspended.": "Аккаунт заблокирован.",
    "A token of it was used twice, so two had it.": (
        "Его токен использован дважды: он был у двоих."
    ),
}
