"""The processes of the product: settings, embedded servers, supervisor, command line."""
