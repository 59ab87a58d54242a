"""What is said in Russian where a sandbox is tried (``messages.py``)."""

from collections.abc import Mapping

OF_TEST_MODE: Mapping[str, str] = {
    "At most {limit} test payments an hour.": "Не более {limit} тестовых платежей в час.",
    "At most {limit} USDC in one test payment.": "Не более {limit} USDC в одном тестовом платеже.",
    "A payment vanishes on Solana alone: other networks are final too soon.": (
        "Исчезнуть может только платёж в Solana: другие сети подтверждают блоки слишком быстро."
    ),
    "At most {limit} faults can be asked for at once.": (
        "Одновременно можно заказать не более {limit} сбоев."
    ),
    "There is no such fault.": "Такого сбоя нет.",
    "This fault was asked for in test mode. The call was not carried out.": (
        "Этот сбой заказан в тестовом режиме. Вызов не выполнен."
    ),
    "This fault was asked for in test mode. The call was carried out; its answer is lost.": (
        "Этот сбой заказан в тестовом режиме. Вызов выполнен, потерян только ответ."
    ),
    "This invoice asks for nothing: say an amount.": (
        "По этому счёту ничего не ожидается: укажите сумму."
    ),
}
