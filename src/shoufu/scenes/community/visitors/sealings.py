from shoufu.kernel.base.resealing import Column

# The hashes of addresses that tried wrong links count for ten minutes only; they need no new key.
sealings = (Column("community_visitors.Invitation", "phone", lambda pk: f"visitors.phone:{pk}".encode()),)
