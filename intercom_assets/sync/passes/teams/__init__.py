"""The pass over a chunk of teams, each as a company of Intercom's."""
