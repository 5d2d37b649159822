"""What is kept of a class: gradebook, files of results, the secret, outcomes of submissions."""
