"""A YooKassa shop that is not there: payments, refunds, notifications."""
