"""A PyTorch module as a program: the code that is named is run, its module exported, raised and compared."""
