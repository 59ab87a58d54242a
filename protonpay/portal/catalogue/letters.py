"""What letters lead to."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "Back to Proton Pay": "На главную Proton Pay",
    "This link is not complete. Open the one in the e-mail again.": (
        "Адрес скопирован не полностью. Откройте ссылку из письма ещё раз."
    ),
    "Ask for a new link": "Запросить новую ссылку",
    "New password": "Новый пароль",
    "Confirm your e-mail address": "Подтвердите адрес электронной почты",
    "One more click, and this address is verified as yours.": (
        "Ещё один щелчок, и адрес будет подтверждён."
    ),
    "Confirm the address": "Подтвердить адрес",
    "The address is confirmed": "Адрес подтверждён",
    "You can close this page.": "Страницу можно закрыть.",
    "Choose a new password": "Выберите новый пароль",
    "At least 12 characters. Every device is signed out.": (
        "Не меньше 12 символов. Сеансы на всех устройствах завершатся."
    ),
    "Set the password": "Задать пароль",
    "The password is set": "Пароль задан",
    "Sign in with it now.": "Теперь войдите с ним.",
    "Stop the account?": "Остановить аккаунт?",
    "Nothing leaves it from then on, and everybody is signed out. What comes in is credited.": (
        "Вывод средств прекратится, все сеансы завершатся. Поступления будут зачисляться."
    ),
    "Stop the account": "Остановить аккаунт",
    "The account is stopped": "Аккаунт остановлен",
    "Choose a new password, then write to support.": (
        "Выберите новый пароль и напишите в поддержку."
    ),
    "Keep the second factor?": "Сохранить второй фактор?",
    "It will not be taken away. Do this if you have not asked for it, or have found the app.": (
        "Его не отключат. Сделайте это, если вы об этом не просили или нашли приложение."
    ),
    "Keep the second factor": "Сохранить второй фактор",
    "The second factor stays": "Второй фактор остаётся",
    "If you have not asked for it, change your password, then write to support.": (
        "Если вы об этом не просили, смените пароль и напишите в поддержку."
    ),
}
