"""What other tools find of the bestiary, side by side with this suite: `tox -e peers`."""
