"""Evidence bundles: make, check and open them."""
