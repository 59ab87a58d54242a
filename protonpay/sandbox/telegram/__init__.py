"""A simulated Telegram: one bot, the people who write to it, and the Bot API over HTTP."""
