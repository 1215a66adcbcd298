"""Our own tables, the schema `intercom_sync`, wherever it is."""
