"""One module for each group of commands; `kirby.cli.grammar` says which function is which."""
