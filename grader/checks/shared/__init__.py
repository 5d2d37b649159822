"""What the checks of several lessons share: truths, cases, and rules over what probes saw."""
