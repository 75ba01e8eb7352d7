"""The parity fixtures, family by family: what is computed, on which inputs."""
