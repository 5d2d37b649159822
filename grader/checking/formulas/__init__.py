"""What exercises ask for as formulas whose steps can be changed, one at a time."""
