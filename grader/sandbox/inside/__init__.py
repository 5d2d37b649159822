"""Code that runs inside the sandbox; it sees the standard library, the course's public packages
and the probes, and holds nothing that a student may not read."""
