"""What is said beside a field that was left blank."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "Fill this in.": "Заполните это поле.",
    "Choose a network.": "Выберите сеть.",
    "Choose one at least.": "Выберите хотя бы одно.",
    "Choose a country.": "Выберите страну.",
    "Choose a file.": "Выберите файл.",
    "Enter an amount.": "Введите сумму.",
    "Enter an e-mail address.": "Введите адрес электронной почты.",
    "Enter an address.": "Введите адрес.",
    "Enter your password.": "Введите пароль.",
    "Enter a new password.": "Введите новый пароль.",
    "Enter the code.": "Введите код.",
}
