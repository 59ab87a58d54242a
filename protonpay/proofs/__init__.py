"""What we owe and what we have, published so that each user can check their own part."""
