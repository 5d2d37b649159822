"""What is kept of submissions: gradebook, files, secret, and where each notebook came from."""
