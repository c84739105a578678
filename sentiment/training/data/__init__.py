"""Read labelled tables, check them and split them."""
