"""What an operator may ask for: each command's options, help, and wrong use.

Belongs here: what can be told without doing anything. Must not: doing it, which is the namesake's
in `cli/`, and importing more than click at the top. Help and a refusal are answered at once, while
what does the work takes a second or two to load: so each command imports that in its body, on
purpose, and only when everything was asked for rightly.
"""
