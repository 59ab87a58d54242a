"""Invoices: payable from a Proton Pay balance and on chain, each with a page of its own."""
