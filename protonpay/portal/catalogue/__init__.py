"""What the pages say, in every language: a file for each area of the portal."""
