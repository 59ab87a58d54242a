"""What is said in Russian of accounts with several people (``messages.py``)."""

from collections.abc import Mapping

OF_TEAMS: Mapping[str, str] = {
    "X-Account is the public id of one account: PP-7K3M9QWD.": (
        "X-Account — это публичный номер одного аккаунта: PP-7K3M9QWD."
    ),
    "An API key is of one account: leave X-Account out.": (
        "Ключ API относится к одному аккаунту: не указывайте X-Account."
    ),
    "The owner of this account has a second factor: enable one of your own first.": (
        "У владельца аккаунта включён второй фактор: сначала включите свой."
    ),
    "You are no member of this account.": "Вы не участник этого аккаунта.",
    "Your own account is stopped: you cannot act for others.": (
        "Ваш собственный аккаунт остановлен: вы не можете действовать за других."
    ),
    "Your role in this account may not do this.": "Ваша роль в этом аккаунте этого не позволяет.",
    "Your role makes keys with nothing but {scopes}.": (
        "Ваша роль позволяет создавать ключи только с правами: {scopes}."
    ),
    "There is no such member.": "Такого участника нет.",
    "There is no such invitation.": "Такого приглашения нет.",
    "At most {limit} accounts of others: leave one.": (
        "Не более {limit} чужих аккаунтов: покиньте один из них."
    ),
    "This is the owner or a member already.": "Это владелец или уже участник.",
    "At most {limit} members, and {max} invitations that wait.": (
        "Не более {limit} участников и {max} ожидающих приглашений."
    ),
    "This invitation is for another address, or yours is not verified yet.": (
        "Это приглашение для другого адреса, или ваш адрес ещё не подтверждён."
    ),
}
