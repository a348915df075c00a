"""What imports hold about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from shoufu.kernel.privacy.declarations import Erase, Holding, Retention

holdings = (
    Holding(
        "imports.import",
        lambda s: None,
        "filling the register from a file, with a way back",
        "从文件导入登记信息，并可撤销",
        days=30,
        erase=Erase.KEEP,
        why="file and way back are sealed; those that name the person are dropped at erasure (imports.hooks)",
    ),
)

retentions = (
    Retention(
        "shoufu.kernel.imports.tasks.purge",
        "files after a day, ways back after 30 days",
        "未导入的文件一天后删除，撤销数据 30 天后删除",
    ),
)
