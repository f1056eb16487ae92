"""Run folders: who owns them, what is in them, how work in them is shared, stopped and resumed."""
