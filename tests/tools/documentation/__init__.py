"""The pages of `docs/` that are generated from the catalogue, the suite and the bestiary: `tox -e docs` writes them."""
