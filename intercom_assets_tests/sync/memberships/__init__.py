"""Which companies a contact is in."""
