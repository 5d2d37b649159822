"""Learning platforms: what Canvas and Moodle give for download, and what they take back."""
