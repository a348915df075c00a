from shoufu.kernel.base.resealing import Column

sealings = (Column("evidence.Export", "secret", lambda pk: b"evidence.export"),)
