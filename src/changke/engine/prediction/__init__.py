"""The default outlook: who comes, how often, with how much. docs/algorithms/outlook.md."""
