from shoufu.kernel.base.resealing import Column


def _context(pk: object) -> bytes:
    return f"import:{pk}".encode()


sealings = (Column("imports.Import", "content", _context), Column("imports.Import", "undo", _context))
