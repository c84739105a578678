"""Files of rows wherever they lie: what their names stand for, which format that is, and how they are opened."""
