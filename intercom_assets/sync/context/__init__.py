"""What every pass works with, and what is known of the workspace, whoever is synced.

Services, leases, outcomes, failures, attributes, usage. Must not: decide about one user or team.
"""
