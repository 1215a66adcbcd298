"""Leads that become part of a user, and people who leave."""
