"""Charts and the tables behind them."""

from protonpay.portal.catalogue.counted import Sentences

IN_RUSSIAN: Sentences = {
    "There is nothing to draw yet.": "Пока нечего показать.",
    "Show as a table": "Показать таблицей",
    "Column": "Столбец",
    "Since": "Начиная с",
    "Count": "Количество",
    "above the limit": "сверх лимита",
    "Used": "Использовано",
    "Left": "Осталось",
    "Limit": "Лимит",
    "{used} of {limit}": "{used} из {limit}",
    "{name}: {total} in all, at most {most} ({label}).": (
        "{name}: всего {total}, больше всего {most} ({label})."
    ),
    "From {first} to {last}: lowest {low}, highest {high}, at the end {end}.": (
        "С {first} по {last}: наименьшее {low}, наибольшее {high}, в конце {end}."
    ),
}
