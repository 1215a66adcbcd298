"""Whose contact is whose: the rules of matching, and every way in which they are upset."""
