"""What people see: values as text, tables for terminals, pipes and notebooks, summaries and the catalogue.

Nothing here runs anything. A view is a list of blocks, each a line of text or a `Table`; who prints it decides on
the form.
"""
