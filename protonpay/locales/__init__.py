"""How each language writes numbers, money and moments, and how it counts."""
