"""The assets: what each holds, whom a run handles, how that is reported. The work is `sync`'s."""
