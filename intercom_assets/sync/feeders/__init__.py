"""Who may differ is put into the queue here: by the app's log, Intercom's search,
the sweep and the audit.

They only queue. Must not: import `engine`, lease, or write to a contact or to the app's tables.
"""
