"""Import a PyTorch module as a program: run the named code, export the module, raise it to a program, and compare."""
