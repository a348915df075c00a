from shoufu.kernel.base.resealing import Column

sealings = (Column("notices.Endpoint", "secret", lambda pk: b"notices.endpoint"),)
