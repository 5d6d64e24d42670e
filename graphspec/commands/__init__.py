"""The verbs of the command line, by what they need: each is a function of the parsed arguments to an exit code."""
