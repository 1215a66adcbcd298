"""What a sync costs and how fast it is: commands, not tests, since figures depend on the machine.

`python -m intercom_assets_tests.tools.benchmarks` measures all rows and prints them as a Markdown
table; `--only NAME` one of them. Must not: an assertion about time; a rule of the sync.
"""
