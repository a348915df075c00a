"""What stops the program and can be put right by whoever runs it."""


class Problem(Exception):
    """One sentence: what is wrong and what to do. The command line prints it, without a traceback, and exits with 1."""
