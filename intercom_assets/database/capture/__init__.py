"""The change log in the app's database: its triggers, and what the drain reads of it."""
