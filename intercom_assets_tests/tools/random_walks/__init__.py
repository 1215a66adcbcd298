"""Random walks: anything happens on both sides, then both sides are judged from outside.

    python -m intercom_assets_tests.tools.random_walks \\
        [--seeds FIRST-LAST] [--seconds S] [--shrink S] [--bulk]

A walk is rounds of steps (the app, people in Intercom, leads, time) under settings of its own, each
round followed by runs under faults until nothing is queued, and by a verdict: who is who, what each
field holds by its policy, memberships, companies, leads; a further pass calls nothing. The judge
has read the rules, but asks nothing of `domain/`. What breaks is told as the smallest walk that
still breaks so. Some seeds run in the suite (`sync/test_walks.py`).
"""
