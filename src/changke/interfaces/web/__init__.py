"""The staff's pages. A page family is a folder with `urls.py`; being there is enough to be served."""
