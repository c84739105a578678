"""Read rows from files and write answers to them, by the format that a name's suffix says."""
