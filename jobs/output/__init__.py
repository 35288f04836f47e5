"""The output folder: its layout, lock, ledger, publishing, identity, and reading what is published."""
