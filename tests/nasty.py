"""Texts that people and attackers send, each in the hope that somebody mishandles it."""

NASTY = (
    *("undefined", "null", "None", "true", "NaN", "0", "-1", "1/0", "\\", "\\\\", "''", '"', "'"),
    *("' OR 1=1--", "'; DROP TABLE users; --", '"); DROP TABLE users; --', "1; SELECT pg_sleep(9)"),
    *(
        "%",
        "_",
        "%s",
        "%(user)s",
        "{}",
        "{0}",
        "{{7*7}}",
        "${7*7}",
        "$(reboot)",
        "`id`",
        "<%= 7 %>",
    ),
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "&lt;b"),
    *("../../etc/passwd", "/dev/null", "C:\\NUL", "file:///etc/passwd", "..%2f..%2f", "aux"),
    *(
        "a\r\nSet-Cookie: x=1",
        "a\nb",
        "a\tb",
        "\x01\x02\x1f",
        "\x7f",
        "\x80\x85\x9f",
        "\u2028\u2029",
    ),
    *("\ufeffbom", "\u200b", "\u202eright to left", "\u2066\u2069", "\ufff9", "\ufffe\uffff"),
    *(
        "Ω≈ç√∫µ≤≥÷",
        "åß∂ƒ©˙∆˚¬…æ",
        "Ё Ђ Ѓ Є Ж",
        "田中さんにあげて下さい",
        "사회과학원",
        "הָיְתָה",
        "مُنَاقَشَة",
    ),
    *("👾 🙇 💁 🙅", "👨‍👩‍👧‍👦", "🇺🇸🇷🇺", "́̂̃", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙", "ﬃ", "ｆｕｌｌｗｉｄｔｈ", "①②③", "١٢٣", "𝔗𝔥𝔢"),  # noqa: RUF001
    *("İstanbul", "ß", "ǅ", "K", "ﷺ", "e\u0301", "\U0010ffff", "\ue000", " ", "  a  "),
)
