"""Processes that begin with everything imported: forked from one that has done that already.

    processes -> template -> a process of multiprocessing's, as if it had been spawned

Belongs here: the template, how it is asked, when it is out of date. Must not: know what is loaded
in it or what its children do; a thread, or a connection, in a process that is forked.
"""
